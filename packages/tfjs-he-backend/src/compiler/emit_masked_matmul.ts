import type { Register } from '../program/program.js';
import type { MatMulVariant } from './circuit.js';
import { modulo } from './diagonals.js';
import { foldBlocks, sumOfProducts } from './emit_matmul.js';
import type { Emitter } from './emitter.js';
import { featureStep, type MatMulGrid, matMulSteps } from './slot_layout.js';

/**
 * The matmul of {@link emitMatMul} for grids that do not fit twice: a cyclic shift of tokens inside their block takes two rotations with
 * complementary masks. The operand with the masks is at level + 2, the other at level + 1.
 */
export function emitMaskedMatMul(
  emitter: Emitter,
  variant: MatMulVariant,
  grid: MatMulGrid,
  operands: { readonly a: Register; readonly b: Register; readonly maskOnA: boolean },
  level: number,
): Register {
  const { tokens } = grid;
  const step = featureStep(grid);
  const aLevel = level + (operands.maskOnA ? 2 : 1);
  const bLevel = level + (operands.maskOnA ? 1 : 2);
  const a = emitter.adjust(operands.a, aLevel);
  const b = emitter.adjust(operands.b, bLevel);
  // Both chains of b: tokens that stay inside their block, and those that wrap around.
  const unit = variant === 'scores' ? step - 1 : 1;
  const wrap = modulo(variant === 'scores' ? tokens : -tokens, step * tokens);
  const stays = (i: number, t: number): boolean => (variant === 'scores' ? t >= i : t < tokens - i);

  const products: { x: Register; y: Register }[] = [];
  for (let i = 0; i < matMulSteps(grid); i++) {
    const rotatedA = emitter.rotateByUnits(a, step, i);
    const inside = emitter.rotateByUnits(b, unit, i);
    if (i === 0) {
      products.push({ x: emitter.adjust(rotatedA, level + 1), y: emitter.adjust(inside, level + 1) });
      continue;
    }
    const outside = emitter.rotateByUnits(emitter.rotate(b, wrap), unit, i);
    const insideMask = Float64Array.from({ length: tokens }, (_, t) => (stays(i, t) ? 1 : 0));
    const outsideMask = insideMask.map((x) => 1 - x);
    if (operands.maskOnA) {
      products.push({ x: masked(emitter, rotatedA, insideMask), y: inside }, { x: masked(emitter, rotatedA, outsideMask), y: outside });
      continue;
    }
    const scale = emitter.plainScale(emitter.stateOf(inside).scale, bLevel);
    const shifted = emitter.multiplyPlain(inside, insideMask, scale);
    emitter.accumulatePlain(shifted, outside, outsideMask, scale);
    emitter.rescale(shifted);
    products.push({ x: rotatedA, y: shifted });
  }
  const total = sumOfProducts(emitter, products);
  emitter.rescale(total);
  return variant === 'values' ? foldBlocks(emitter, total, grid) : total;
}

/** One level down, multiplied by a mask on the way. */
function masked(emitter: Emitter, register: Register, mask: Float64Array): Register {
  const { level, scale } = emitter.stateOf(register);
  const out = emitter.multiplyPlain(register, mask, emitter.plainScale(scale, level));
  emitter.rescale(out);
  return out;
}

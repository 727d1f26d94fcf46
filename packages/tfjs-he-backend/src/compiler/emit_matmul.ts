import type { Register } from '../program/program.js';
import type { MatMulVariant } from './circuit.js';
import { modulo } from './diagonals.js';
import type { Emitter } from './emitter.js';
import type { MatMulGrid } from './slot_layout.js';

/**
 * Ciphertext x ciphertext matmul on a T x T grid (JKLS 2018, in feature-major layout): sum_i rotate(a, i T H) * shift_i(b), where shift_i moves
 * tokens cyclically inside their block of T: two rotations with complementary masks. Rotations are chained one unit at a time (four Galois
 * keys in all), products are accumulated before one relinearisation.
 *
 * scores: a standard, b skewed, result in diagonal layout. values: a diagonal, b skewed, result standard. Operands at level + 1, the one with the masks at
 * level + 2.
 */
export function emitMatMul(
  emitter: Emitter,
  variant: MatMulVariant,
  grid: MatMulGrid,
  operands: { readonly a: Register; readonly b: Register; readonly maskOnA: boolean },
  level: number,
): Register {
  const { tokens } = grid;
  const featureStep = grid.tokens * grid.batch;
  const period = featureStep * tokens;
  const aLevel = level + (operands.maskOnA ? 2 : 1);
  const bLevel = level + (operands.maskOnA ? 1 : 2);
  const a = emitter.adjust(operands.a, aLevel);
  const b = emitter.adjust(operands.b, bLevel);
  // Both chains of b: tokens that stay inside their block, and those that wrap around.
  const unit = variant === 'scores' ? featureStep - 1 : 1;
  const wrap = modulo(variant === 'scores' ? tokens : -tokens, period);
  const stays = (i: number, t: number): boolean => (variant === 'scores' ? t >= i : t < tokens - i);

  let acc: Register | null = null;
  const accumulate = (x: Register, y: Register): void => {
    if (acc === null) acc = emitter.multiply(x, y);
    else emitter.accumulateProduct(acc, x, y);
  };
  for (let i = 0; i < tokens; i++) {
    const rotatedA = emitter.rotateByUnits(a, featureStep, i);
    const inside = emitter.rotateByUnits(b, unit, i);
    if (i === 0) {
      accumulate(masked(emitter, rotatedA, null, aLevel, level), masked(emitter, inside, null, bLevel, level));
      continue;
    }
    const outside = emitter.rotateByUnits(emitter.rotate(b, wrap), unit, i);
    const insideMask = Float64Array.from({ length: tokens }, (_, t) => (stays(i, t) ? 1 : 0));
    const outsideMask = insideMask.map((x) => 1 - x);
    if (operands.maskOnA) {
      accumulate(masked(emitter, rotatedA, insideMask, aLevel, level), inside);
      accumulate(masked(emitter, rotatedA, outsideMask, aLevel, level), outside);
    } else {
      const scale = emitter.plainScale(emitter.stateOf(inside).scale, bLevel);
      const shifted = emitter.multiplyPlain(inside, insideMask, scale);
      emitter.accumulatePlain(shifted, outside, outsideMask, scale);
      emitter.rescale(shifted);
      accumulate(rotatedA, shifted);
    }
  }
  if (acc === null) throw new Error('unreachable: a matmul has at least one product');
  emitter.relinearize(acc);
  emitter.rescale(acc);
  return acc;
}

/** At level + 1: multiplied by a mask on the way, or just brought down. */
function masked(emitter: Emitter, register: Register, mask: Float64Array | null, from: number, level: number): Register {
  if (from === level + 1) return register;
  if (mask === null) return emitter.adjust(register, level + 1);
  const out = emitter.multiplyPlain(register, mask, emitter.plainScale(emitter.stateOf(register).scale, from));
  emitter.rescale(out);
  return out;
}

import type { Register } from '../program/program.js';
import type { MatMulVariant } from './circuit.js';
import { bug, type Emitter } from './emitter.js';
import { LEVEL_COST } from './plan_affine.js';
import { featureStep, type MatMulGrid, matMulSteps } from './slot_layout.js';

/**
 * Ciphertext x ciphertext matmul on a T x T grid whose right operand lies twice in every block of tokens (`doubled`), so that a rotation by up
 * to T shifts its tokens cyclically. With F the feature step:
 *
 *     scores: sum_i rotate(a,  i F) * rotate(b, i F - i)      a standard, b skewed, result in diagonal layout
 *     values: sum_i rotate(a, -i F) * rotate(b, -i)           a diagonal, b skewed, result standard
 *
 * (JKLS 2018 in feature-major layout.) Since rotate(x, k) * rotate(y, k) = rotate(x * y, k), both are done by baby-step giant-step,
 * i = i1 + n i2: n rotations of a, T / n relinearisations and rotations of sums, T rotations of b, each chained so that four Galois keys
 * serve. Where `steps` of the grid is below T, i runs to there only: the features of both operands repeat, and for values the blocks of
 * features are summed at the end. Operands at level + 1.
 */
export function emitMatMul(
  emitter: Emitter,
  variant: MatMulVariant,
  grid: MatMulGrid,
  operands: { readonly a: Register; readonly b: Register },
  level: number,
): Register {
  const steps = matMulSteps(grid);
  const step = featureStep(grid);
  const babies = babySteps(steps);
  const sign = variant === 'scores' ? 1 : -1;
  const a = emitter.adjust(operands.a, level + 1);
  const b = emitter.adjust(operands.b, level + 1);
  // Rotation of b per baby step, and what is left of it per giant step once the sum's own rotation is taken out.
  const babyUnit = variant === 'scores' ? step - 1 : -1;
  const giantUnit = variant === 'scores' ? -babies : babies * (step - 1);

  const sums: Register[] = [];
  for (let giant = 0; giant * babies < steps; giant++) {
    const start = emitter.rotateByUnits(b, giantUnit, giant);
    const products = Array.from({ length: Math.min(babies, steps - giant * babies) }, (_, baby) => ({
      x: emitter.rotateByUnits(a, sign * step, baby),
      y: emitter.rotateByUnits(start, babyUnit, baby),
    }));
    sums.push(sumOfProducts(emitter, products));
  }
  const total = horner(emitter, sums, sign * babies * step);
  emitter.rescale(total);
  return variant === 'values' ? foldBlocks(emitter, total, grid) : total;
}

/** Key switches of a product on a grid; of one that is not doubled, also the level of its masks. */
export function gridRotations(grid: MatMulGrid): number {
  const steps = matMulSteps(grid);
  if (!grid.doubled) return 3 * steps + LEVEL_COST;
  const babies = babySteps(steps);
  return babies + steps + (2 * steps) / babies + Math.log2(grid.tokens / steps);
}

/** With fewer steps than tokens, every block of `steps` features has summed a part of the contraction. */
export function foldBlocks(emitter: Emitter, total: Register, grid: MatMulGrid): Register {
  let sum = total;
  for (let features = matMulSteps(grid); features < grid.tokens; features *= 2) {
    sum = emitter.add(sum, emitter.rotate(sum, features * featureStep(grid)));
  }
  return sum;
}

/** Power of two nearest to the optimum sqrt(2 T): a giant step costs a rotation and a relinearisation, a baby step a rotation. */
function babySteps(tokens: number): number {
  return Math.min(tokens, 2 ** Math.round(Math.log2(Math.sqrt(2 * tokens))));
}

/** Accumulated unrelinearised, then relinearised once. */
export function sumOfProducts(emitter: Emitter, products: readonly { readonly x: Register; readonly y: Register }[]): Register {
  let acc: Register | null = null;
  for (const { x, y } of products) {
    if (acc === null) acc = emitter.multiply(x, y);
    else emitter.accumulateProduct(acc, x, y);
  }
  if (acc === null) throw bug('a matmul has no product');
  emitter.relinearize(acc);
  return acc;
}

function horner(emitter: Emitter, sums: readonly Register[], giantStep: number): Register {
  return sums.reduceRight((acc, sum) => {
    const rotated = emitter.rotate(acc, giantStep);
    emitter.accumulate(rotated, sum);
    return rotated;
  });
}

import { sizeOf } from '../graph/node.js';

/**
 * Where the elements of a tensor lie in one slot vector: element e (row-major) at slotOf[e], and again at every multiple of `period`
 * further on. Slots below the period that hold no element are zero.
 */
export interface SlotLayout {
  readonly slotOf: Int32Array;
  /** Power of two; divides the slot count. */
  readonly period: number;
}

export function powerOfTwoAtLeast(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}

export function sameLayout(a: SlotLayout, b: SlotLayout): boolean {
  return a.period === b.period && a.slotOf.length === b.slotOf.length && a.slotOf.every((slot, i) => slot === b.slotOf[i]);
}

/**
 * Default layout of shape [..., T, F]: slot = (f * B + b) * T + t, with B the product of the leading dimensions and every extent padded to a
 * power of two. Rotations by multiples of B * T move features of all tokens and heads at once, so a dense map on features has F
 * diagonals, and a value per token ([..., T, 1]) is replicated over features for nothing.
 */
export function featureMajor(shape: readonly number[]): SlotLayout {
  const f = shape.at(-1) ?? 1;
  const t = shape.at(-2) ?? 1;
  const b = sizeOf(shape) / (f * t);
  const tPad = powerOfTwoAtLeast(t);
  const bPad = powerOfTwoAtLeast(b);
  const slotOf = new Int32Array(b * t * f);
  let element = 0;
  for (let bi = 0; bi < b; bi++) {
    for (let ti = 0; ti < t; ti++) for (let fi = 0; fi < f; fi++) slotOf[element++] = (fi * bPad + bi) * tPad + ti;
  }
  return { slotOf, period: powerOfTwoAtLeast(f) * bPad * tPad };
}

/** A vector of `size` elements, `stride` (a power of two) slots apart. */
export function strided(size: number, stride: number): SlotLayout {
  return { slotOf: Int32Array.from({ length: size }, (_, i) => i * stride), period: powerOfTwoAtLeast(size) * stride };
}

/** Extents of a ciphertext matmul: `tokens` >= max(M, K, N) and `batch` are powers of two; the layouts below take tokens^2 * batch slots. */
export interface MatMulGrid {
  readonly tokens: number;
  readonly batch: number;
}

export function matMulGrid(dims: { batch: number; m: number; k: number; n: number }): MatMulGrid {
  return { tokens: powerOfTwoAtLeast(Math.max(dims.m, dims.k, dims.n)), batch: powerOfTwoAtLeast(dims.batch) };
}

function gridLayout(
  { tokens, batch }: MatMulGrid,
  extents: readonly [number, number, number],
  place: (row: number, col: number) => readonly [number, number],
): SlotLayout {
  const [heads, rows, cols] = extents;
  const slotOf = new Int32Array(heads * rows * cols);
  let element = 0;
  for (let h = 0; h < heads; h++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++) {
        const [outer, token] = place(r, c);
        slotOf[element++] = (outer * batch + h) * tokens + token;
      }
    }
  }
  return { slotOf, period: tokens * batch * tokens };
}

/** Element [h, r, c] at (c, h, r): feature-major with the grid's padding. */
export function gridStandard(grid: MatMulGrid, heads: number, rows: number, cols: number): SlotLayout {
  return gridLayout(grid, [heads, rows, cols], (r, c) => [c, r]);
}

/** Element [h, r, c] at (c - r, h, r): generalised diagonals, cyclic in the grid's tokens. */
export function gridDiagonal(grid: MatMulGrid, heads: number, rows: number, cols: number): SlotLayout {
  return gridLayout(grid, [heads, rows, cols], (r, c) => [(c - r + grid.tokens) % grid.tokens, r]);
}

/** Right operand b[h, k, n] with n on the token axis, skewed: place (k, h, n - k). What the scores product needs. */
export function gridSkewedByRow(grid: MatMulGrid, heads: number, rows: number, cols: number): SlotLayout {
  return gridLayout(grid, [heads, rows, cols], (k, n) => [k, (n - k + grid.tokens) % grid.tokens]);
}

/** Right operand b[h, k, n] with k on the token axis, skewed: place (n, h, k - n). What the values product needs. */
export function gridSkewedByColumn(grid: MatMulGrid, heads: number, rows: number, cols: number): SlotLayout {
  return gridLayout(grid, [heads, rows, cols], (k, n) => [n, (k - n + grid.tokens) % grid.tokens]);
}

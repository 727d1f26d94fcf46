import { sizeOf } from '../graph/node.js';

/**
 * Where the elements of a tensor lie in one slot vector: element e (row-major) at slotOf[e] + c for every c of `copies`, and again at every
 * multiple of `period` further on. Slots below the period that hold no element are zero.
 */
export interface SlotLayout {
  readonly slotOf: Int32Array;
  /** Power of two; divides the slot count. */
  readonly period: number;
  /** Offsets of the copies inside a period; [0] almost always. */
  readonly copies: readonly number[];
  /** Of a replicated layout: copies fill as many slots, and an element is read from that which is a multiple of so many slots away. */
  readonly block?: number;
  /** Made for a product of encrypted matrices. */
  readonly ofMatMul?: true;
}

const ONE_COPY: readonly number[] = [0];

export function powerOfTwoAtLeast(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}

export function sameLayout(a: SlotLayout, b: SlotLayout): boolean {
  if (a === b) return true;
  return (
    a.period === b.period &&
    a.block === b.block &&
    a.copies.join() === b.copies.join() &&
    a.slotOf.length === b.slotOf.length &&
    a.slotOf.every((slot, i) => slot === b.slotOf[i])
  );
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
  return { slotOf, period: featureMajorPeriod(shape), copies: ONE_COPY };
}

/** Slots of {@link featureMajor}: of tensors that may be too large to be laid out. */
export function featureMajorPeriod(shape: readonly number[]): number {
  const f = shape.at(-1) ?? 1;
  const t = shape.at(-2) ?? 1;
  return powerOfTwoAtLeast(f) * powerOfTwoAtLeast(sizeOf(shape) / (f * t)) * powerOfTwoAtLeast(t);
}

/**
 * Row-major, every extent padded to a power of two: slot = (b * T + t) * F + f. Rotations by multiples of F move tokens with all their features, so a map on tokens (a pooling, a convolution over
 * time, a token-mixing layer) has T diagonals, and what all tokens share ([1, F]) is replicated over them for nothing.
 */
export function tokenMajor(shape: readonly number[]): SlotLayout {
  const f = shape.at(-1) ?? 1;
  const t = shape.at(-2) ?? 1;
  const [fPad, tPad] = [powerOfTwoAtLeast(f), powerOfTwoAtLeast(t)];
  const b = sizeOf(shape) / (f * t);
  const slotOf = Int32Array.from({ length: b * t * f }, (_, element) => {
    const [bi, ti, fi] = [Math.floor(element / (t * f)), Math.floor(element / f) % t, element % f];
    return (bi * tPad + ti) * fPad + fi;
  });
  return { slotOf, period: powerOfTwoAtLeast(b) * tPad * fPad, copies: ONE_COPY };
}

/**
 * Feature-major with every feature (every element of a vector) g times in a row, as often as fits in `slots`: slot = ((f * g + c) * B + b) * T + t for every c < g. A dense map on F features from there has
 * F / g diagonals: each copy of a feature contributes to other outputs, and log2(g) rotations join the contributions, in all slots at once, so that no mask is needed. Feature-major where there is no room.
 */
export function replicated(shape: readonly number[], slots: number): SlotLayout {
  const size = sizeOf(shape);
  const base = isVector(shape) ? strided(size, 1) : featureMajor(shape);
  const features = powerOfTwoAtLeast(isVector(shape) ? size : (shape.at(-1) ?? 1));
  const step = base.period / features;
  const count = Math.min(Math.floor(slots / base.period), features);
  if (count < 2) return base;
  const slotOf = base.slotOf.map((slot) => Math.floor(slot / step) * step * count + (slot % step));
  return { slotOf, period: base.period * count, copies: Array.from({ length: count }, (_, c) => c * step), block: count * step };
}

/** At most one extent above 1. */
export function isVector(shape: readonly number[]): boolean {
  return shape.filter((extent) => extent > 1).length <= 1;
}

/** A vector of `size` elements, `stride` (a power of two) slots apart. */
export function strided(size: number, stride: number): SlotLayout {
  return { slotOf: Int32Array.from({ length: size }, (_, i) => i * stride), period: powerOfTwoAtLeast(size) * stride, copies: ONE_COPY };
}

/**
 * Extents of a ciphertext matmul: `tokens` >= max(M, K, N) and `batch` are powers of two. With `doubled`, every block of tokens has room for
 * two copies: an operand that lies there twice is shifted cyclically inside its block by one rotation, where otherwise it takes two and a
 * mask (and a level). The layouts below take tokens^2 * batch slots, twice as many when doubled.
 */
export interface MatMulGrid {
  readonly tokens: number;
  readonly batch: number;
  readonly doubled: boolean;
  /**
   * Products of the matmul: a power of two, below `tokens` where the contracted axis of a scores product, or the last axis of a values
   * product's result, is shorter. Features then repeat after so many (default: tokens).
   */
  readonly steps?: number;
}

/** Products of a matmul on a grid. */
export function matMulSteps({ tokens, steps = tokens }: MatMulGrid): number {
  return steps;
}

/** The layout on a grid, repeated with the grid's steps. */
export function repeatedOnGrid(grid: MatMulGrid, layout: SlotLayout): SlotLayout {
  return { ...layout, period: matMulSteps(grid) * featureStep(grid) };
}

/** Right operand of a product in fewer steps than tokens: element [h, o, t] at (o, h, t), twice in every block. */
export function gridSpreadOperand(grid: MatMulGrid, heads: number): SlotLayout {
  return gridLayout(grid, 'both', [heads, grid.tokens, grid.tokens], (outer, token) => [outer, token]);
}

/**
 * The element of b[h, k, n] that lies at [h, o, t] of that operand (-1: a zero): b[o mod steps, t + o] for scores, b[t + o, o mod steps] for
 * values, tokens modulo the grid's.
 */
export function spreadSources(grid: MatMulGrid, variant: 'scores' | 'values', heads: number, rows: number, cols: number): Int32Array {
  const { tokens } = grid;
  const steps = matMulSteps(grid);
  return Int32Array.from({ length: heads * tokens * tokens }, (_, e) => {
    const [h, o, t] = [Math.floor(e / (tokens * tokens)), Math.floor(e / tokens) % tokens, e % tokens];
    const [feature, token] = [o % steps, (t + o) % tokens];
    const [row, col] = variant === 'scores' ? [feature, token] : [token, feature];
    return row < rows && col < cols ? (h * rows + row) * cols + col : -1;
  });
}

/** Doubled when the slots allow it. */
export function matMulGrid(dims: { batch: number; m: number; k: number; n: number }, slots: number): MatMulGrid {
  const tokens = powerOfTwoAtLeast(Math.max(dims.m, dims.k, dims.n));
  const batch = powerOfTwoAtLeast(dims.batch);
  return { tokens, batch, doubled: 2 * tokens * tokens * batch <= slots };
}

/** Slots of a matmul that is not doubled. */
export function matMulSlots(dims: { batch: number; m: number; k: number; n: number }): number {
  const { tokens, batch } = matMulGrid(dims, 0);
  return tokens * tokens * batch;
}

/** Slots from one feature (outer index) to the next. */
export function featureStep({ tokens, batch, doubled }: MatMulGrid): number {
  return tokens * batch * (doubled ? 2 : 1);
}

/** `single`: doubled blocks hold the second copy only, the first is zero. `both`: two copies. */
type Fill = 'single' | 'both';

function gridLayout(
  grid: MatMulGrid,
  fill: Fill,
  extents: readonly [number, number, number],
  place: (row: number, col: number) => readonly [number, number],
): SlotLayout {
  const { tokens, doubled } = grid;
  const [heads, rows, cols] = extents;
  const block = doubled ? 2 * tokens : tokens;
  const base = doubled && fill === 'single' ? tokens : 0;
  const slotOf = new Int32Array(heads * rows * cols);
  let element = 0;
  for (let h = 0; h < heads; h++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++) {
        const [outer, token] = place(r, c);
        slotOf[element++] = outer * featureStep(grid) + h * block + base + token;
      }
    }
  }
  return { slotOf, period: tokens * featureStep(grid), copies: doubled && fill === 'both' ? [0, tokens] : ONE_COPY, ofMatMul: true };
}

/** Element [h, r, c] at (c, h, r): feature-major with the grid's padding. What a left operand, and the result of a values product, looks like. */
export function gridStandard(grid: MatMulGrid, heads: number, rows: number, cols: number): SlotLayout {
  return gridLayout(grid, 'single', [heads, rows, cols], (r, c) => [c, r]);
}

/** Element [h, r, c] at (c - r, h, r): generalised diagonals, cyclic in the grid's tokens. The result of a scores product. */
export function gridDiagonal(grid: MatMulGrid, heads: number, rows: number, cols: number): SlotLayout {
  return gridLayout(grid, 'single', [heads, rows, cols], (r, c) => [(c - r + grid.tokens) % grid.tokens, r]);
}

/** Right operand b[h, k, n] of a scores product, n on the token axis: plain at (k, h, n), skewed at (k, h, n - k). */
export function gridScoresOperand(grid: MatMulGrid, heads: number, rows: number, cols: number, skewed: boolean): SlotLayout {
  return gridLayout(grid, 'both', [heads, rows, cols], (k, n) => [k, skewed ? (n - k + grid.tokens) % grid.tokens : n]);
}

/** Right operand b[h, k, n] of a values product, k on the token axis: plain at (n, h, k), skewed at (n, h, k - n). */
export function gridValuesOperand(grid: MatMulGrid, heads: number, rows: number, cols: number, skewed: boolean): SlotLayout {
  return gridLayout(grid, 'both', [heads, rows, cols], (k, n) => [n, skewed ? (k - n + grid.tokens) % grid.tokens : k]);
}

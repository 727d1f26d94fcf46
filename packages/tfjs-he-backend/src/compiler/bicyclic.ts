import { powerOfTwoAtLeast, type SlotLayout } from './slot_layout.js';

/**
 * Extents of a ciphertext matmul in bicyclic packing: padded until no two have a factor in common. Every matrix of the batch has `block` slots (a power of two) for itself.
 */
export interface BicyclicGrid {
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
  readonly block: number;
}

/** How far extents are padded at most in search of coprime ones. */
const MOST_PADDING = 6;

/**
 * The bicyclic grid of a product [batch, m, k] x [batch, k, n] with the fewest rotations, of those the one with the fewest slots; null when none fits in `slots`.
 */
export function bicyclicGrid({ batch, m, k, n }: { batch: number; m: number; k: number; n: number }, slots: number): BicyclicGrid | null {
  let best: BicyclicGrid | null = null;
  for (let inner = k; inner <= k + MOST_PADDING; inner++) {
    for (let rows = m; rows <= m + MOST_PADDING; rows++) {
      if (gcd(rows, inner) !== 1) continue;
      for (let cols = n; cols <= n + MOST_PADDING; cols++) {
        if (gcd(cols, inner) !== 1 || gcd(rows, cols) !== 1) continue;
        const shape = { batch: powerOfTwoAtLeast(batch), rows, inner, cols };
        const grid = { ...shape, block: powerOfTwoAtLeast(Math.max(...operands(shape).map(({ period, copies }) => period * copies))) };
        if (grid.block * grid.batch <= slots && (best === null || grid.block < best.block)) best = grid;
      }
    }
    if (best !== null) return best;
  }
  return null;
}

type Shape = Omit<BicyclicGrid, 'block'>;

/** Length of one copy of the left and the right operand, and how many lie behind each other: rotations read up to `result` slots from any place of a copy. */
function operands({ rows, inner, cols }: Shape): { readonly period: number; readonly copies: number }[] {
  const result = rows * cols;
  return [rows, cols].map((side) => ({ period: side * inner, copies: Math.ceil((result + side * (inner - 1)) / (side * inner)) }));
}

/** Rotations of both operands. */
export function bicyclicRotations({ inner }: BicyclicGrid): number {
  return 2 * (inner - 1);
}

/** Element [h, r, c] where r and c are the remainders of the slot in its block by both extents, as often as rotations reach. */
export function bicyclicOperand(grid: BicyclicGrid, side: 'left' | 'right', heads: number, rows: number, cols: number): SlotLayout {
  const extents = side === 'left' ? ([grid.rows, grid.inner] as const) : ([grid.inner, grid.cols] as const);
  const [left, right] = operands(grid);
  const own = side === 'left' ? left : right;
  const copies = Array.from({ length: own?.copies ?? 1 }, (_, i) => i * (own?.period ?? 0));
  return layout(grid, extents, [heads, rows, cols], copies);
}

/** The same of the result, once. */
export function bicyclicResult(grid: BicyclicGrid, heads: number, rows: number, cols: number): SlotLayout {
  return layout(grid, [grid.rows, grid.cols], [heads, rows, cols], [0]);
}

function layout(
  { batch, block }: BicyclicGrid,
  [rowModulus, colModulus]: readonly [number, number],
  [heads, rows, cols]: readonly [number, number, number],
  copies: readonly number[],
): SlotLayout {
  const places = new Int32Array(rows * cols);
  for (let slot = 0; slot < rowModulus * colModulus; slot++) {
    const [row, col] = [slot % rowModulus, slot % colModulus];
    if (row < rows && col < cols) places[row * cols + col] = slot;
  }
  const slotOf = Int32Array.from({ length: heads * rows * cols }, (_, e) => {
    const head = Math.floor(e / (rows * cols));
    return head * block + (places[e % (rows * cols)] ?? 0);
  });
  return { slotOf, period: batch * block, copies, ofMatMul: true };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

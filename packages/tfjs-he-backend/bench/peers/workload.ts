/**
 * What every peer computes, at equal ring degree, chain and security: `tenseal_bench.py` and `lattigo/main.go` have the same numbers. Nine primes, the last one for key
 * switching, fill what 128 bits of security allow at this degree.
 */
export const DEGREE = 16384;
export const PRIME_BITS: readonly number[] = [50, 48, 48, 48, 48, 48, 48, 48, 50];
/** Rows and columns of the dense matrix. */
export const SIZE = 128;
/** Of 1, x, x^2 and so on: degree 7, three levels. */
export const COEFFICIENTS: readonly number[] = [0.5, -0.4, 0.3, -0.2, 0.15, 0.1, -0.05, 0.02];

export const CASES = ['rotation', 'product', 'dense', 'dense, diagonals by hand', 'polynomial'] as const;
export type CaseName = (typeof CASES)[number];

export const CASE_TITLES: Readonly<Record<CaseName, string>> = {
  rotation: 'one rotation',
  product: 'product, relinearised and rescaled',
  dense: `dense ${SIZE}x${SIZE} matrix times vector`,
  'dense, diagonals by hand': `the same by hand: encoded diagonals, baby and giant steps`,
  polynomial: 'polynomial of degree 7',
};

/** One line of a peer's output. */
export interface Measured {
  readonly case: CaseName;
  /** Median, in milliseconds. */
  readonly ms: number;
  /** Largest difference of a decrypted slot from what it should be. */
  readonly error: number;
}

export const input = (slot: number): number => Math.sin((slot % SIZE) + 1);
export const other = (slot: number): number => Math.cos(2 * (slot % SIZE) + 1);
export const matrix = (row: number, column: number): number => Math.cos(3 * row + 7 * column + 1) / 16;

export const polynomial = (x: number): number => COEFFICIENTS.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

export function matrixTimesInput(row: number): number {
  let sum = 0;
  for (let column = 0; column < SIZE; column++) sum += matrix(row, column) * input(column);
  return sum;
}

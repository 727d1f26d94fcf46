export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

/** Relative resolution of a float32: half a unit in its last place. */
const RESOLUTION = 2 ** -24;
/** Where all values are zero. */
const LEAST = 2 ** -100;

/**
 * Bits of precision, absolute: -log2 of the largest difference. Equal values count as float32 can tell them apart, to 24 bits of the largest one, so the result is finite.
 * @param actual as many as expected, float32
 * @throws Error when a difference is not a number.
 */
export function bitsOfPrecision(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  let largest = LEAST;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? Number.NaN;
    const difference = Math.abs((actual[i] ?? Number.NaN) - value);
    if (!Number.isFinite(difference)) throw new Error(`value ${i} is ${actual[i]} where ${value} is expected: a run gave no numbers`);
    worst = Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(value));
  }
  return -Math.log2(Math.max(worst, RESOLUTION * largest));
}

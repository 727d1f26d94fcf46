/** How far the logits of an encrypted run are from those in the clear. */
export interface LogitDifference {
  /** Sum of the squared differences, and of how many logits. */
  readonly squares: number;
  readonly count: number;
  readonly largest: number;
  /** log2 of 1 / the largest difference. Equal logits count as float32 can tell them apart: to 24 bits of the largest one. */
  readonly bits: number;
}

/** @param encrypted as many logits as `clear` */
export function compareLogits(encrypted: Float32Array, clear: Float32Array): LogitDifference {
  const errors = Array.from(clear, (value, index) => Math.abs(value - (encrypted[index] ?? Number.NaN)));
  const largest = errors.reduce((most, error) => Math.max(most, error), 0);
  const resolution = 2 ** -24 * Math.max(2 ** -100, ...clear.map(Math.abs));
  return {
    squares: errors.reduce((sum, error) => sum + error * error, 0),
    count: errors.length,
    largest,
    bits: Math.log2(1 / Math.max(resolution, largest)),
  };
}

/** What reports say of differences of logits. */
export interface DifferenceSummary {
  /** Mean squared difference of the logits. */
  readonly mse: number;
  readonly maxDifference: number;
  /** -log2 of the largest difference of a run's logits: mean over the runs, and the least. */
  readonly bits: number;
  readonly leastBits: number;
}

/** @param differences at least one */
export function summarise(differences: readonly LogitDifference[]): DifferenceSummary {
  const sum = (of: (difference: LogitDifference) => number): number => differences.reduce((total, each) => total + of(each), 0);
  return {
    mse: sum(({ squares }) => squares) / sum(({ count }) => count),
    maxDifference: differences.reduce((most, { largest }) => Math.max(most, largest), 0),
    bits: sum(({ bits }) => bits) / differences.length,
    leastBits: Math.min(...differences.map(({ bits }) => bits)),
  };
}

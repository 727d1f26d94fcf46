import { HeError } from '../errors.js';

/** How well values agree, in bits: -log2 |actual - expected| of each, absolute. */
export interface PrecisionReport {
  readonly minimum: number;
  readonly mean: number;
  readonly median: number;
  /** Values compared. */
  readonly count: number;
}

/** Equal values count as this many bits: a double has no more. */
const MOST_BITS = 53;

/**
 * Bits of precision of `actual` against `expected`, element by element. A value that is not a number has none: -Infinity bits.
 * @throws HeError ENCODE_INVALID when there are no values, or the lengths differ.
 */
export function precisionReport(actual: ArrayLike<number>, expected: ArrayLike<number>): PrecisionReport {
  if (actual.length !== expected.length || actual.length === 0) {
    throw new HeError('ENCODE_INVALID', `${actual.length} values cannot be compared with ${expected.length}`, {
      op: 'precisionReport',
      hint: 'Give two lists of the same length, with at least one value.',
    });
  }
  const bits = Float64Array.from({ length: actual.length }, (_, i) => bitsOf((actual[i] ?? 0) - (expected[i] ?? 0))).sort();
  const middle = bits.length >> 1;
  const upper = bits[middle] ?? 0;
  return {
    minimum: bits[0] ?? 0,
    mean: bits.reduce((sum, value) => sum + value, 0) / bits.length,
    median: bits.length % 2 === 1 ? upper : ((bits[middle - 1] ?? 0) + upper) / 2,
    count: bits.length,
  };
}

function bitsOf(difference: number): number {
  return Number.isFinite(difference) ? Math.min(MOST_BITS, -Math.log2(Math.abs(difference))) : Number.NEGATIVE_INFINITY;
}

/** Reports by name as an aligned text table. */
export function precisionTable(reports: Readonly<Record<string, PrecisionReport>>): string {
  const names = Object.keys(reports);
  const width = Math.max('bits'.length, ...names.map((name) => name.length));
  const row = (name: string, cells: readonly string[]) => `${name.padEnd(width)}${cells.map((cell) => cell.padStart(9)).join('')}`;
  return [
    row('bits', ['minimum', 'mean', 'median', 'values']),
    ...names.map((name) => {
      const { minimum, mean, median, count } = reports[name] ?? { minimum: 0, mean: 0, median: 0, count: 0 };
      return row(name, [minimum.toFixed(1), mean.toFixed(1), median.toFixed(1), String(count)]);
    }),
  ].join('\n');
}

import { HeError } from '../errors.js';
import type { Interval } from './interval.js';

const NODES = 1024;
/** COSINES[j] = cos(pi j / (2 NODES)), one period. */
const COSINES = Float64Array.from({ length: 4 * NODES }, (_, j) => Math.cos((Math.PI * j) / (2 * NODES)));
/** 8 levels; more than a chain of SEAL's largest ring has between two refreshes is of little use. */
const MAX_DEGREE = 255;

/**
 * Chebyshev coefficients of `f` on `interval`, as many as make the absolute error at most 2^-bits: interpolation in 1024 Chebyshev nodes, cut
 * where the sum of what is left out is small enough. For 1/x and 1/sqrt(x) that sum is the error at the lower end, so the cut is exact.
 * @throws HeError PARAMETERS_INVALID when degree 255 does not suffice.
 */
export function chebyshevSeries(op: string, f: (x: number) => number, interval: Interval, bits: number): number[] {
  const values = Float64Array.from({ length: NODES }, (_, i) => f(fromUnit(COSINES[2 * i + 1] ?? 0, interval)));
  const coefficients: number[] = [];
  for (let k = 0; k < NODES; k++) {
    let sum = 0;
    for (let i = 0; i < NODES; i++) sum += (values[i] ?? 0) * (COSINES[(k * (2 * i + 1)) % COSINES.length] ?? 0);
    coefficients.push((sum * (k === 0 ? 1 : 2)) / NODES);
  }
  let left = 0;
  for (let degree = NODES - 1; degree >= 0; degree--) {
    left += Math.abs(coefficients[degree] ?? 0);
    if (left <= 2 ** -bits) continue;
    if (degree <= MAX_DEGREE) return coefficients.slice(0, degree + 1);
    break;
  }
  if (left <= 2 ** -bits) return [];
  throw new HeError('PARAMETERS_INVALID', `${op} over [${interval.join(', ')}] to ${bits} bits takes a degree above ${MAX_DEGREE}`, {
    op,
    hint: 'Ask for fewer bits, or narrow the interval (train the range, or scale the input).',
  });
}

function fromUnit(u: number, [low, high]: Interval): number {
  return (low + high) / 2 + (u * (high - low)) / 2;
}

import { HeError } from '../errors.js';
import { levelsOfDegree } from './evaluate_polynomial.js';
import type { Interval } from './interval.js';
import { minimax } from './minimax.js';

const NODES = 1024;
/** COSINES[j] = cos(pi j / (2 NODES)), one period. */
const COSINES = Float64Array.from({ length: 4 * NODES }, (_, j) => Math.cos((Math.PI * j) / (2 * NODES)));
/** 9 levels: 1/x over an interval whose ends are 1 to 10,000. */
const MAX_DEGREE = 511;

/**
 * Chebyshev coefficients of a polynomial whose absolute error from `f` on `interval` is at most 2^-bits, in the fewest levels that such a polynomial takes: the series of `f`, cut
 * where what is left out is small enough; or, where it takes a level less, the nearest polynomial of the largest degree which that level holds.
 * @throws HeError PARAMETERS_INVALID when degree 511 does not suffice.
 */
export function chebyshevSeries(op: string, f: (x: number) => number, interval: Interval, bits: number): number[] {
  const onUnit = (u: number): number => f(fromUnit(u, interval));
  const series = cutSeries(onUnit, 2 ** -bits);
  const degree = 2 ** (levelsOfDegree(series === null ? MAX_DEGREE + 1 : series.length - 1) - 1) - 1;
  // Nothing is nearer than the nearest polynomial: where that is too far, so are all of its degree.
  const nearest = degree >= 1 ? minimax(onUnit, degree) : null;
  if (nearest !== null && nearest.error <= 2 ** -bits) return [...nearest.coefficients];
  if (series !== null) return series;
  throw new HeError('PARAMETERS_INVALID', `${op} over [${interval.join(', ')}] to ${bits} bits takes a degree above ${MAX_DEGREE}`, {
    op,
    hint: 'Ask for fewer bits, or narrow the interval (train the range, or scale the input).',
  });
}

/**
 * Interpolation in 1024 Chebyshev nodes, cut where the sum of what is left out is small enough: for 1/x and 1/sqrt(x) that sum is the error at the lower end, so the cut is exact. Null
 * above the largest degree.
 */
function cutSeries(onUnit: (u: number) => number, tolerance: number): number[] | null {
  const values = Float64Array.from({ length: NODES }, (_, i) => onUnit(COSINES[2 * i + 1] ?? 0));
  const coefficients: number[] = [];
  for (let k = 0; k < NODES; k++) {
    let sum = 0;
    for (let i = 0; i < NODES; i++) sum += (values[i] ?? 0) * (COSINES[(k * (2 * i + 1)) % COSINES.length] ?? 0);
    coefficients.push((sum * (k === 0 ? 1 : 2)) / NODES);
  }
  let left = 0;
  for (let degree = NODES - 1; degree >= 0; degree--) {
    left += Math.abs(coefficients[degree] ?? 0);
    if (left > tolerance) return degree <= MAX_DEGREE ? coefficients.slice(0, degree + 1) : null;
  }
  return [];
}

function fromUnit(u: number, [low, high]: Interval): number {
  return (low + high) / 2 + (u * (high - low)) / 2;
}

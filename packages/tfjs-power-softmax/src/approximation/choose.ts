import { ApproximationError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import type { Approximation } from './approximation.js';
import type { Interval } from './chebyshev.js';
import { isCheaper } from './cost.js';
import { compositeOfAccuracy } from './fit_composite.js';
import { iterationOfAccuracy } from './fit_iteration.js';
import { polynomialOfAccuracy } from './fit_polynomial.js';
import { FUNCTIONS } from './functions.js';
import { ITERATION_METHODS } from './iteration.js';

/**
 * The approximation with the least depth, then the fewest products, among what every method needs for an error. Among equals
 * the most accurate is taken.
 *
 * @throws ApproximationError where none reaches the error
 */
export function cheapestApproximation(name: ApproximatedFunction, interval: Interval, tolerance: number): Approximation {
  const candidates = [
    ...successful(() => polynomialOfAccuracy(name, interval, tolerance, 'minimax')),
    ...successful(() => polynomialOfAccuracy(name, interval, tolerance, 'chebyshev')),
  ];
  if (FUNCTIONS[name].positive) {
    candidates.push(...ITERATION_METHODS.flatMap((method) => successful(() => iterationOfAccuracy(name, interval, tolerance, method))));
  }
  if (name === 'rsqrt' || name === 'reciprocal') {
    // Several minimax polynomials are made for the composites of rsqrt: only where the depth so far leaves room.
    const depth = Math.min(...candidates.map((candidate) => candidate.depth));
    candidates.push(...successful(() => compositeOfAccuracy(name, interval, tolerance, depth)));
  }
  if (candidates.length === 0) {
    throw new ApproximationError(
      `No method approximates ${name} to ${tolerance} on [${interval}]. Ask for fewer bits, or narrow the interval with a range loss or a larger epsilon.`,
      { function: name, interval: [...interval], tolerance },
    );
  }
  return candidates.reduce((best, candidate) => (isPreferable(candidate, best) ? candidate : best));
}

function isPreferable(a: Approximation, b: Approximation): boolean {
  return isCheaper(a, b) || (!isCheaper(b, a) && a.maxError < b.maxError);
}

/** The result, or none where the method does not reach the error. */
function successful(attempt: () => Approximation): Approximation[] {
  try {
    return [attempt()];
  } catch (error) {
    if (error instanceof ApproximationError) return [];
    throw error;
  }
}

import { ApproximationError, InvalidArgumentError } from '../errors.js';
import { type Approximation, approximationErrors } from './approximation.js';
import type { Interval } from './chebyshev.js';
import { compositeRsqrt } from './composite.js';
import { costOf, isCheaper } from './cost.js';
import { chebyshevDepth } from './evaluate.js';
import { polynomialOfDegree } from './fit_polynomial.js';
import { errorGrid } from './functions.js';
import { MAX_STEPS } from './iteration.js';

/** Degrees of the first stage, the highest of each depth. */
const DEGREES = [3, 7, 15, 31, 63];
const LEVELS_PER_STEP = 2;

/**
 * A minimax polynomial of the given degree for `1/sqrt(x)`, and steps after it.
 *
 * @throws InvalidArgumentError for a degree outside 1..63, or steps outside 1..32
 */
export function compositeOf(interval: Interval, degree: number, steps: number): Approximation {
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_STEPS) {
    throw new InvalidArgumentError(`steps must be an integer from 1 to ${MAX_STEPS}, got ${steps}.`, { steps });
  }
  return withSteps(polynomialOfDegree('rsqrt', interval, degree, 'minimax'), steps);
}

/**
 * The cheapest composite that reaches an error.
 *
 * @param maxDepth levels beyond which none is looked for
 * @throws ApproximationError where none of that depth reaches the error
 */
export function compositeOfAccuracy(interval: Interval, tolerance: number, maxDepth = Number.POSITIVE_INFINITY): Approximation {
  let best: Approximation | undefined;
  for (const degree of DEGREES) {
    if (chebyshevDepth(degree) + LEVELS_PER_STEP > maxDepth) break;
    const first = polynomialOfDegree('rsqrt', interval, degree, 'minimax');
    for (let steps = 1; steps <= MAX_STEPS; steps++) {
      const candidate = withSteps(first, steps);
      if (candidate.depth > maxDepth || (best !== undefined && !isCheaper(candidate, best))) break;
      if (candidate.maxError > tolerance) continue;
      best = candidate;
      break;
    }
  }
  if (best !== undefined) return best;
  throw new ApproximationError(`No composite reaches ${tolerance} for rsqrt on [${interval}]. Ask for fewer bits.`, {
    interval: [...interval],
    tolerance,
  });
}

function withSteps({ interval, coefficients, measure }: Approximation, steps: number): Approximation {
  const { degree, evaluate } = compositeRsqrt(interval, coefficients, steps);
  const cost = costOf((counter, variable) => evaluate(counter, variable, 1));
  const base = { function: 'rsqrt', interval, method: 'composite', degree, coefficients, steps, measure, ...cost } as const;
  const { max, mean } = approximationErrors(base, errorGrid(interval));
  return { ...base, maxError: max, meanError: mean };
}

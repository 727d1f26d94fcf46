import { ApproximationError, InvalidArgumentError } from '../errors.js';
import { type Approximation, approximationErrors } from './approximation.js';
import type { Interval } from './chebyshev.js';
import { compositeRsqrt } from './composite.js';
import { compositeReciprocal, RECIPROCAL_FIRST_DEGREE } from './composite_reciprocal.js';
import { costOf, isCheaper } from './cost.js';
import { chebyshevDepth } from './evaluate.js';
import { polynomialOfDegree } from './fit_polynomial.js';
import { errorGrid } from './functions.js';
import { MAX_STEPS } from './iteration.js';

/** Degrees of the first stage, the highest of each depth. */
const DEGREES = [3, 7, 15, 31, 63];
const LEVELS_PER_STEP = 2;

/** The functions that a composite computes. */
export type CompositeFunction = 'reciprocal' | 'rsqrt';

/**
 * A minimax polynomial of the given degree, and steps after it.
 *
 * @param degree 1..63 for `rsqrt`, 2 for `reciprocal`
 * @throws InvalidArgumentError for another degree, or steps outside 1..32
 */
export function compositeOf(name: CompositeFunction, interval: Interval, degree: number, steps: number): Approximation {
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_STEPS) {
    throw new InvalidArgumentError(`steps must be an integer from 1 to ${MAX_STEPS}, got ${steps}.`, { steps });
  }
  if (name === 'rsqrt') return withSteps(polynomialOfDegree(name, interval, degree, 'minimax'), steps);
  if (degree === RECIPROCAL_FIRST_DEGREE) return reciprocalOfSteps(interval, steps);
  throw new InvalidArgumentError(`The first stage of 'composite' for 1/x has degree ${RECIPROCAL_FIRST_DEGREE}, got ${degree}.`, {
    degree,
  });
}

/**
 * The cheapest composite that reaches an error.
 *
 * @param maxDepth levels beyond which none is looked for
 * @throws ApproximationError where none of that depth reaches the error
 */
export function compositeOfAccuracy(
  name: CompositeFunction,
  interval: Interval,
  tolerance: number,
  maxDepth = Number.POSITIVE_INFINITY,
): Approximation {
  const best = name === 'rsqrt' ? rsqrtOfAccuracy(interval, tolerance, maxDepth) : reciprocalOfAccuracy(interval, tolerance, maxDepth);
  if (best !== undefined) return best;
  throw new ApproximationError(`No composite reaches ${tolerance} for ${name} on [${interval}]. Ask for fewer bits.`, {
    function: name,
    interval: [...interval],
    tolerance,
  });
}

function rsqrtOfAccuracy(interval: Interval, tolerance: number, maxDepth: number): Approximation | undefined {
  let best: Approximation | undefined;
  for (const degree of DEGREES) {
    if (chebyshevDepth(degree) + LEVELS_PER_STEP > maxDepth) break;
    const first = polynomialOfDegree('rsqrt', interval, degree, 'minimax');
    let before = Number.POSITIVE_INFINITY;
    for (let steps = 1; steps <= MAX_STEPS; steps++) {
      const candidate = withSteps(first, steps);
      if (candidate.depth > maxDepth || (best !== undefined && !isCheaper(candidate, best))) break;
      if (candidate.maxError <= tolerance) {
        best = candidate;
        break;
      }
      if (candidate.maxError >= before) break;
      before = candidate.maxError;
    }
  }
  return best;
}

function reciprocalOfAccuracy(interval: Interval, tolerance: number, maxDepth: number): Approximation | undefined {
  let before = Number.POSITIVE_INFINITY;
  for (let steps = 1; steps <= MAX_STEPS; steps++) {
    const candidate = reciprocalOfSteps(interval, steps);
    if (candidate.maxError <= tolerance && candidate.depth <= maxDepth) return candidate;
    // Errors fall with every step until rounding stops them.
    if (candidate.depth > maxDepth || candidate.maxError >= before) break;
    before = candidate.maxError;
  }
  return undefined;
}

function reciprocalOfSteps(interval: Interval, steps: number): Approximation {
  const { degree, evaluate } = compositeReciprocal(interval, steps);
  const cost = costOf((counter, variable) => evaluate(counter, variable, 1));
  return measured({ function: 'reciprocal', interval, method: 'composite', degree, coefficients: [], steps, measure: 'relative', ...cost });
}

function withSteps({ interval, coefficients, measure }: Approximation, steps: number): Approximation {
  const { degree, evaluate } = compositeRsqrt(interval, coefficients, steps);
  const cost = costOf((counter, variable) => evaluate(counter, variable, 1));
  return measured({ function: 'rsqrt', interval, method: 'composite', degree, coefficients, steps, measure, ...cost });
}

function measured(approximation: Omit<Approximation, 'maxError' | 'meanError'>): Approximation {
  const { max, mean } = approximationErrors(approximation, errorGrid(approximation.interval));
  return { ...approximation, maxError: max, meanError: mean };
}

import { ApproximationError, InvalidArgumentError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import { type Approximation, approximationErrors, type PolynomialMethod } from './approximation.js';
import { chebyshevInterpolant, type Interval } from './chebyshev.js';
import { cheapestBabySteps } from './cost.js';
import { errorGrid, FUNCTIONS } from './functions.js';
import { minimaxPolynomial } from './remez.js';

export const MAX_DEGREE = 63;

/** @throws InvalidArgumentError for a degree outside 1..63 */
export function polynomialOfDegree(
  name: ApproximatedFunction,
  interval: Interval,
  degree: number,
  method: PolynomialMethod,
): Approximation {
  if (!Number.isInteger(degree) || degree < 1 || degree > MAX_DEGREE) {
    throw new InvalidArgumentError(`degree must be an integer from 1 to ${MAX_DEGREE}, got ${degree}.`, { degree });
  }
  const { evaluate, measure } = FUNCTIONS[name];
  const grid = errorGrid(interval);
  const raw =
    method === 'minimax'
      ? minimaxPolynomial(evaluate, interval, degree, measure).coefficients
      : chebyshevInterpolant(evaluate, interval, degree);
  const rawError = approximationErrors({ function: name, interval, coefficients: raw, measure }, grid).max;
  // Coefficients that vanish by symmetry come out as rounding noise and would cost products; these do not matter to the error.
  const negligible = Math.max(1e-14, (1e-4 * rawError) / degree);
  const coefficients = raw.map((c) => (Math.abs(c) < negligible ? 0 : c));
  const { cost } = cheapestBabySteps(coefficients);
  const base = { function: name, interval, method, degree, coefficients, measure, depth: cost.depth, products: cost.products };
  const { max, mean } = approximationErrors(base, grid);
  return { ...base, maxError: max, meanError: mean };
}

/**
 * Doubles the depth first, then looks for the lowest degree of that depth: errors fall as the degree rises.
 *
 * @throws ApproximationError where no degree up to 63 reaches the error
 */
export function polynomialOfAccuracy(
  name: ApproximatedFunction,
  interval: Interval,
  tolerance: number,
  method: PolynomialMethod,
): Approximation {
  let low = 0;
  let best: Approximation | undefined;
  for (let degree = 1; degree <= MAX_DEGREE && best === undefined; degree = 2 * degree + 1) {
    const candidate = polynomialOfDegree(name, interval, degree, method);
    if (candidate.maxError <= tolerance) best = candidate;
    else low = degree;
  }
  if (best === undefined) {
    throw new ApproximationError(
      `No polynomial up to degree ${MAX_DEGREE} approximates ${name} to ${tolerance} on [${interval}]. Ask for fewer bits, or narrow the interval with a range loss or a larger epsilon.`,
      { function: name, interval: [...interval], tolerance },
    );
  }
  while (best.degree - low > 1) {
    const middle = Math.floor((low + best.degree) / 2);
    const candidate = polynomialOfDegree(name, interval, middle, method);
    if (candidate.maxError <= tolerance) best = candidate;
    else low = middle;
  }
  return best;
}

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
  const rawErrors = approximationErrors({ function: name, interval, coefficients: raw, measure }, grid);
  // Coefficients that vanish by symmetry come out as rounding noise and would cost products; these do not matter to the error.
  const negligible = Math.max(1e-14, (1e-4 * rawErrors.max) / degree);
  const coefficients = raw.map((c) => (Math.abs(c) < negligible ? 0 : c));
  const { cost } = cheapestBabySteps(coefficients);
  const base = { function: name, interval, method, degree, coefficients, measure, depth: cost.depth, products: cost.products };
  const { max, mean } = raw.every((c, k) => c === coefficients[k]) ? rawErrors : approximationErrors(base, grid);
  return { ...base, maxError: max, meanError: mean };
}

/**
 * The lowest degree that reaches an error; errors fall as the degree rises.
 *
 * @throws ApproximationError where no degree up to 63 reaches the error
 */
export function polynomialOfAccuracy(
  name: ApproximatedFunction,
  interval: Interval,
  tolerance: number,
  method: PolynomialMethod,
): Approximation {
  const best = method === 'chebyshev' ? chebyshevOfAccuracy(name, interval, tolerance) : minimaxOfAccuracy(name, interval, tolerance);
  if (best !== undefined) return best;
  throw new ApproximationError(
    `No polynomial up to degree ${MAX_DEGREE} approximates ${name} to ${tolerance} on [${interval}]. Ask for fewer bits, or narrow the interval with a range loss or a larger epsilon.`,
    { function: name, interval: [...interval], tolerance },
  );
}

/** Doubles the depth first, then looks for the lowest degree of that depth. */
function chebyshevOfAccuracy(name: ApproximatedFunction, interval: Interval, tolerance: number): Approximation | undefined {
  let low = 0;
  let best: Approximation | undefined;
  for (let degree = 1; degree <= MAX_DEGREE && best === undefined; degree = 2 * degree + 1) {
    const candidate = polynomialOfDegree(name, interval, degree, 'chebyshev');
    if (candidate.maxError <= tolerance) best = candidate;
    else low = degree;
  }
  while (best !== undefined && best.degree - low > 1) {
    const candidate = polynomialOfDegree(name, interval, Math.floor((low + best.degree) / 2), 'chebyshev');
    if (candidate.maxError <= tolerance) best = candidate;
    else low = candidate.degree;
  }
  return best;
}

/** Starts at the degree of Chebyshev interpolation, which is quickly found and a few degrees higher at most. */
function minimaxOfAccuracy(name: ApproximatedFunction, interval: Interval, tolerance: number): Approximation | undefined {
  const ofDegree = (degree: number): Approximation => polynomialOfDegree(name, interval, degree, 'minimax');
  let best = ofDegree(chebyshevOfAccuracy(name, interval, tolerance)?.degree ?? MAX_DEGREE);
  // Near float64 rounding the exchange may fall behind interpolation.
  while (best.maxError > tolerance) {
    if (best.degree === MAX_DEGREE) return undefined;
    best = ofDegree(best.degree + 1);
  }
  while (best.degree > 1) {
    const lower = ofDegree(best.degree - 1);
    if (lower.maxError > tolerance) break;
    best = lower;
  }
  return best;
}

import { ApproximationError, InvalidArgumentError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import { chebyshevInterpolant, clenshaw, fromUnit, type Interval, toUnit } from './chebyshev.js';
import { cheapestBabySteps } from './cost.js';
import { type ErrorMeasure, errorOf, FUNCTIONS } from './functions.js';
import { minimaxPolynomial } from './remez.js';

/** `minimax` is the best polynomial in the maximum norm (Remez); `chebyshev` interpolates at Chebyshev points. */
export type ApproximationMethod = 'minimax' | 'chebyshev';

/** A polynomial that stands in for a function on an interval. Plain data. */
export interface Approximation {
  readonly function: ApproximatedFunction;
  readonly interval: Interval;
  readonly method: ApproximationMethod;
  readonly degree: number;
  /** Chebyshev coefficients in `u = (2x - lower - upper) / (upper - lower)`. */
  readonly coefficients: readonly number[];
  /** Whether `maxError` is `|q/f - 1|` or `|q - f|`. */
  readonly measure: ErrorMeasure;
  /** Largest error found on a fine grid of the interval. */
  readonly maxError: number;
  readonly meanError: number;
  /** Levels that evaluating it consumes. */
  readonly depth: number;
  /** Ciphertext products that evaluating it takes. */
  readonly products: number;
}

export interface ApproximateOptions {
  /** Degree of the polynomial, 1..63. One of `degree` and `bits` is given. */
  readonly degree?: number;
  /** Accuracy `-log2(maxError)` to reach with the lowest degree that does. */
  readonly bits?: number;
  /** Default `minimax`. */
  readonly method?: ApproximationMethod;
}

export const MAX_DEGREE = 63;
const GRID_POINTS = 2000;

/**
 * Approximates one of the package's functions on an interval.
 *
 * @throws InvalidArgumentError for an empty interval, one that leaves the function's domain, or a degree out of range
 * @throws ApproximationError where no degree up to 63 reaches `bits`
 */
export function approximate(name: ApproximatedFunction, interval: Interval, options: ApproximateOptions): Approximation {
  const [lower, upper] = interval;
  if (!(Number.isFinite(lower) && Number.isFinite(upper) && lower < upper) || (FUNCTIONS[name].positive && lower <= 0)) {
    throw new InvalidArgumentError(`${name} cannot be approximated on [${lower}, ${upper}]. Use a larger epsilon.`, { lower, upper });
  }
  const { degree, bits, method = 'minimax' } = options;
  if (degree !== undefined) return ofDegree(name, interval, degree, method);
  if (bits === undefined) throw new InvalidArgumentError('approximate needs a degree or a number of bits.', { function: name });
  return ofAccuracy(name, interval, 2 ** -bits, method);
}

function ofDegree(name: ApproximatedFunction, interval: Interval, degree: number, method: ApproximationMethod): Approximation {
  if (!Number.isInteger(degree) || degree < 1 || degree > MAX_DEGREE) {
    throw new InvalidArgumentError(`degree must be an integer from 1 to ${MAX_DEGREE}, got ${degree}.`, { degree });
  }
  const { evaluate, measure } = FUNCTIONS[name];
  const grid = Array.from({ length: GRID_POINTS + 1 }, (_, i) => fromUnit(interval, -Math.cos((Math.PI * i) / GRID_POINTS)));
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

/** Doubles the depth first, then looks for the lowest degree of that depth: errors fall as the degree rises. */
function ofAccuracy(name: ApproximatedFunction, interval: Interval, tolerance: number, method: ApproximationMethod): Approximation {
  let low = 0;
  let best: Approximation | undefined;
  for (let degree = 1; degree <= MAX_DEGREE && best === undefined; degree = 2 * degree + 1) {
    const candidate = ofDegree(name, interval, degree, method);
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
    const candidate = ofDegree(name, interval, middle, method);
    if (candidate.maxError <= tolerance) best = candidate;
    else low = middle;
  }
  return best;
}

/** Value of an approximation at `x`, in float64. */
export function evaluateApproximation({ coefficients, interval }: Pick<Approximation, 'coefficients' | 'interval'>, x: number): number {
  const { slope, offset } = toUnit(interval);
  return clenshaw(coefficients, slope * x + offset);
}

/** Largest and mean error over points, in the approximation's measure. */
export function approximationErrors(
  approximation: Pick<Approximation, 'coefficients' | 'interval' | 'function' | 'measure'>,
  points: ArrayLike<number>,
): { readonly max: number; readonly mean: number } {
  const { evaluate } = FUNCTIONS[approximation.function];
  let max = 0;
  let sum = 0;
  for (let i = 0; i < points.length; i++) {
    const x = points[i] ?? 0;
    const error = errorOf(evaluateApproximation(approximation, x), evaluate(x), approximation.measure);
    max = Math.max(max, error);
    sum += error;
  }
  return { max, mean: points.length === 0 ? 0 : sum / points.length };
}

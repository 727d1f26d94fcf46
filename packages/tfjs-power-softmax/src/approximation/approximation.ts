import type { ApproximatedFunction } from '../ranges/recorder.js';
import { type AffineMap, clenshaw, type Interval, toUnit } from './chebyshev.js';
import { compositeRsqrt } from './composite.js';
import { compositeReciprocal } from './composite_reciprocal.js';
import { cheapestBabySteps } from './cost.js';
import { evaluateChebyshev, type PolynomialAlgebra } from './evaluate.js';
import { type ErrorMeasure, errorOf, FUNCTIONS } from './functions.js';
import { ITERATION_METHODS, type Iteration, type IterationMethod, iteration } from './iteration.js';
import { vectorAlgebra } from './vector_algebra.js';

/** `minimax` is the best polynomial in the maximum norm (Remez); `chebyshev` interpolates at Chebyshev points. */
export type PolynomialMethod = 'minimax' | 'chebyshev';

/** How an approximation is made. `composite` is a minimax polynomial followed by steps: Newton's for `1/sqrt(x)`, Goldschmidt's for `1/x`. */
export type ApproximationMethod = PolynomialMethod | IterationMethod | 'composite';

/** A polynomial that stands in for a function on an interval. Plain data. */
export interface Approximation {
  readonly function: ApproximatedFunction;
  readonly interval: Interval;
  readonly method: ApproximationMethod;
  /** Degree as a polynomial in `x`. */
  readonly degree: number;
  /** Chebyshev coefficients in `u = (2x - lower - upper) / (upper - lower)`; empty for iterations and `composite` for `1/x`,
   * whose constants follow from the interval; those of the first stage for `composite` for `1/sqrt(x)`. */
  readonly coefficients: readonly number[];
  /** Steps of an iteration, or after the first stage of `composite`; absent for `minimax` and `chebyshev`. */
  readonly steps?: number;
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

/** What evaluating an approximation needs; for Chebyshev coefficients, these and the interval suffice. */
export type Evaluable = Pick<Approximation, 'coefficients' | 'interval'> & Partial<Pick<Approximation, 'function' | 'method' | 'steps'>>;

export function isIterationMethod(method: string): method is IterationMethod {
  return ITERATION_METHODS.some((known) => known === method);
}

/** The affine map of `x` to the variable in which the approximation is evaluated. Its slope is positive. */
export function variableMap(approximation: Evaluable): AffineMap {
  return iterationOf(approximation)?.variable ?? toUnit(approximation.interval);
}

/**
 * `factor` times the approximation at the variable of {@link variableMap}, over any algebra. The factor costs nothing: it goes into the
 * constants.
 */
export function evaluateOver<T>(algebra: PolynomialAlgebra<T>, approximation: Evaluable, variable: T, factor = 1): T {
  const steps = iterationOf(approximation);
  if (steps !== undefined) return steps.evaluate(algebra, variable, factor);
  const coefficients = approximation.coefficients.map((c) => c * factor);
  return evaluateChebyshev(algebra, coefficients, variable, cheapestBabySteps(coefficients).babySteps);
}

/** Value of an approximation at `x`, in float64. */
export function evaluateApproximation(approximation: Evaluable, x: number): number {
  return evaluateAll(approximation, [x])[0] ?? Number.NaN;
}

/** Largest and mean error over points, in the approximation's measure. */
export function approximationErrors(
  approximation: Evaluable & Pick<Approximation, 'function' | 'measure'>,
  points: ArrayLike<number>,
): { readonly max: number; readonly mean: number } {
  const { evaluate } = FUNCTIONS[approximation.function];
  const values = evaluateAll(approximation, points);
  let max = 0;
  let sum = 0;
  for (let i = 0; i < points.length; i++) {
    const error = errorOf(values[i] ?? 0, evaluate(points[i] ?? 0), approximation.measure);
    max = Math.max(max, error);
    sum += error;
  }
  return { max, mean: points.length === 0 ? 0 : sum / points.length };
}

function evaluateAll(approximation: Evaluable, points: ArrayLike<number>): Float64Array {
  const { slope, offset } = variableMap(approximation);
  const variable = Float64Array.from(points, (x) => slope * x + offset);
  const steps = iterationOf(approximation);
  return steps === undefined ? variable.map((u) => clenshaw(approximation.coefficients, u)) : steps.evaluate(vectorAlgebra, variable, 1);
}

function iterationOf({ function: name, method, interval, coefficients, steps }: Evaluable): Iteration | undefined {
  if (method === 'composite' && steps !== undefined) {
    return name === 'reciprocal' ? compositeReciprocal(interval, steps) : compositeRsqrt(interval, coefficients, steps);
  }
  if (name === undefined || method === undefined || steps === undefined || !isIterationMethod(method)) return undefined;
  return iteration(name, method, interval, steps);
}

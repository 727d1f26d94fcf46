import { InvalidArgumentError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import type { AffineMap, Interval } from './chebyshev.js';
import type { PolynomialAlgebra } from './evaluate.js';
import { goldschmidtReciprocal, goldschmidtRsqrt } from './goldschmidt.js';
import { newtonReciprocal, newtonRsqrt } from './newton.js';

/**
 * Iterations for `1/x` and `1/sqrt(x)`, whose convergence is quadratic. `goldschmidt` and `newton` scale their constant initial guess
 * optimally for the interval; `adaptive-goldschmidt` rescales before every step, for the interval that the step before left.
 */
export type IterationMethod = 'goldschmidt' | 'adaptive-goldschmidt' | 'newton';

/** A fixed number of steps on one interval: a polynomial in factored form. */
export interface Iteration {
  /** The variable that evaluation starts from, as an affine map of `x`. Its slope is positive, so that layers can fold it into weights. */
  readonly variable: AffineMap;
  /** Degree of the polynomial that the steps make up. */
  readonly degree: number;
  /** `factor` times the approximation, at the variable. The factor costs no level. */
  evaluate<T>(algebra: PolynomialAlgebra<T>, variable: T, factor: number): T;
}

export const ITERATION_METHODS: readonly IterationMethod[] = ['goldschmidt', 'adaptive-goldschmidt', 'newton'];
export const MAX_STEPS = 32;

/** @throws InvalidArgumentError for a number of steps outside 1..32, or a function other than `reciprocal` and `rsqrt` */
export function iteration(name: ApproximatedFunction, method: IterationMethod, interval: Interval, steps: number): Iteration {
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_STEPS) {
    throw new InvalidArgumentError(`steps must be an integer from 1 to ${MAX_STEPS}, got ${steps}.`, { steps });
  }
  const adaptive = method === 'adaptive-goldschmidt';
  switch (name) {
    case 'reciprocal':
      return method === 'newton' ? newtonReciprocal(interval, steps) : goldschmidtReciprocal(interval, steps, adaptive);
    case 'rsqrt':
      return method === 'newton' ? newtonRsqrt(interval, steps) : goldschmidtRsqrt(interval, steps, adaptive);
    case 'gelu':
    case 'silu':
      throw new InvalidArgumentError(`No ${method} iteration computes ${name}. Use method 'minimax'.`, { function: name, method });
  }
}

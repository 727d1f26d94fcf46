import type { Tensor } from '@tensorflow/tfjs-core';
import type { Interval } from './interval.js';
import { HE_RECIPROCAL, HE_RSQRT } from './kernels.js';
import { runOn, runPolynomial } from './run_polynomial.js';

/** How the coefficients of a polynomial are meant. */
export interface PolynomialOptions {
  /** `monomial` (default): sum_k c_k x^k. `chebyshev`: sum_k c_k T_k(u), u the interval's map to [-1, 1]. */
  readonly basis?: 'monomial' | 'chebyshev';
  /** Where the input lies; default [-1, 1]. The Chebyshev basis belongs to it, the other one does not need it. */
  readonly interval?: Interval;
}

/**
 * A polynomial of every element of `x`: the kernel `HePolynomial`, which is made of tfjs operations on every other backend, has a gradient, and is
 * recorded when `x` is encrypted. It takes ceil(log2(degree + 1)) levels. In the Chebyshev basis the map of the interval to [-1, 1] takes one more,
 * unless it folds into a linear operation before it, or is close to a shift times 1, 2, 3 or 4 (README, "Polynomials over an interval").
 * @param coefficients c_0, c_1, ...: finite, any number of them
 * @throws HeError PARAMETERS_INVALID.
 */
export function polynomial(x: Tensor, coefficients: readonly number[], options: PolynomialOptions = {}): Tensor {
  const { basis = 'monomial', interval = [-1, 1] } = options;
  return runPolynomial(x, { coefficients, basis, interval });
}

/** Where an approximation holds, and how well. */
export interface ApproximationOptions {
  /** Where the input lies, 0 < low < high: outside of it the result is wrong without notice. Degree and levels grow with high / low. */
  readonly interval: Interval;
  /** Absolute error at most 2^-bits over the interval, before the noise of encryption; 1 to 40, default 12. */
  readonly bits?: number;
}

/**
 * 1 / x over a declared positive interval: the kernel `HeReciprocal`, a polynomial of the fewest levels that reaches the bits. Its gradient
 * is -y^2 of the result y.
 * @throws HeError PARAMETERS_INVALID (the interval, the bits, or a degree above 511).
 */
export function reciprocal(x: Tensor, { interval, bits = 12 }: ApproximationOptions): Tensor {
  return runOn(x, HE_RECIPROCAL, { interval: [...interval], bits });
}

/**
 * 1 / sqrt(x) over a declared positive interval: the kernel `HeRsqrt`, a polynomial of the fewest levels that reaches the bits. Its gradient
 * is -y^3 / 2 of the result y.
 * @throws HeError PARAMETERS_INVALID (the interval, the bits, or a degree above 511).
 */
export function rsqrt(x: Tensor, { interval, bits = 12 }: ApproximationOptions): Tensor {
  return runOn(x, HE_RSQRT, { interval: [...interval], bits });
}

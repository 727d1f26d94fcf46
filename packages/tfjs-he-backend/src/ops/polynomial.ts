import { add, fill, mul, square, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { type Arithmetic, CHEBYSHEV, MONOMIAL } from './basis.js';
import { chebyshevSeries, type Interval } from './chebyshev_series.js';
import { evaluatePolynomial } from './evaluate_polynomial.js';

const TENSORS: Arithmetic<Tensor> = {
  square,
  multiply: (a, b) => mul(a, b),
  scale(a, factor, constant) {
    const scaled: Tensor = factor === 1 ? a : mul(a, factor);
    return constant === 0 ? scaled : add(scaled, constant);
  },
  add: (a, b) => add(a, b),
  sub: (a, b) => sub(a, b),
};

export interface PolynomialOptions {
  /** `monomial` (default): sum_k c_k x^k. `chebyshev`: sum_k c_k T_k(u), u the interval's map to [-1, 1]. */
  readonly basis?: 'monomial' | 'chebyshev';
  /** Where the input lies; default [-1, 1]. The Chebyshev basis belongs to it, the other one does not need it. */
  readonly interval?: Interval;
}

/**
 * A polynomial of every element of `x`: tfjs operations, so it runs on every backend, is differentiable, and is recorded when `x` is
 * encrypted. It takes ceil(log2(degree + 1)) levels. In the Chebyshev basis the map of the interval to [-1, 1] takes one more, unless the
 * interval is [-1, 1] up to a shift or `x` comes out of a linear operation, which it is folded into.
 * @param coefficients c_0, c_1, ...: finite, any number of them
 * @throws HeError PARAMETERS_INVALID.
 */
export function polynomial(x: Tensor, coefficients: readonly number[], options: PolynomialOptions = {}): Tensor {
  const { basis = 'monomial', interval = [-1, 1] } = options;
  if (!coefficients.every(Number.isFinite)) throw invalid('polynomial', 'a coefficient is not finite', 'Give finite coefficients.');
  checkInterval('polynomial', interval);
  return tidy(() => {
    const u = basis === 'chebyshev' ? toUnit(x, interval) : x;
    const value = evaluatePolynomial(TENSORS, basis === 'chebyshev' ? CHEBYSHEV : MONOMIAL, coefficients, u);
    return value ?? fill(x.shape, coefficients[0] ?? 0);
  });
}

export interface ApproximationOptions {
  /** Where the input lies, 0 < low < high: outside of it the result is wrong without notice. Degree and levels grow with high / low. */
  readonly interval: Interval;
  /** Absolute error at most 2^-bits over the interval, before the noise of encryption; 1 to 40, default 12. */
  readonly bits?: number;
}

/**
 * 1 / x over a declared positive interval, as the Chebyshev polynomial of least degree that reaches the bits.
 * @throws HeError PARAMETERS_INVALID (the interval, the bits, or a degree above 255).
 */
export function reciprocal(x: Tensor, options: ApproximationOptions): Tensor {
  return approximate('reciprocal', (t) => 1 / t, x, options);
}

/**
 * 1 / sqrt(x) over a declared positive interval, as the Chebyshev polynomial of least degree that reaches the bits.
 * @throws HeError PARAMETERS_INVALID (the interval, the bits, or a degree above 255).
 */
export function rsqrt(x: Tensor, options: ApproximationOptions): Tensor {
  return approximate('rsqrt', (t) => 1 / Math.sqrt(t), x, options);
}

function approximate(op: string, f: (x: number) => number, x: Tensor, { interval, bits = 12 }: ApproximationOptions): Tensor {
  checkInterval(op, interval);
  if (!(interval[0] > 0)) throw invalid(op, `the interval [${interval.join(', ')}] is not positive`, 'Give 0 < low < high.');
  if (!(bits >= 1 && bits <= 40)) throw invalid(op, `${bits} bits are asked for`, 'Give 1 to 40.');
  return polynomial(x, chebyshevSeries(op, f, interval, bits), { basis: 'chebyshev', interval });
}

/** The interval's affine map to [-1, 1]; a shift alone where that is all it takes. */
function toUnit(x: Tensor, [low, high]: Interval): Tensor {
  return TENSORS.scale(x, 2 / (high - low), -(low + high) / (high - low));
}

function checkInterval(op: string, [low, high]: Interval): void {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw invalid(op, `[${low}, ${high}] is not an interval`, 'Give finite low < high.');
  }
}

function invalid(op: string, message: string, hint: string): HeError {
  return new HeError('PARAMETERS_INVALID', message, { op, hint });
}

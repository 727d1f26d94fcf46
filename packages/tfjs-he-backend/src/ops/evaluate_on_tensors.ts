import { add, cast, fill, mul, square, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { type Arithmetic, CHEBYSHEV, MONOMIAL } from './basis.js';
import { evaluatePolynomial } from './evaluate_polynomial.js';
import { unitMap } from './interval.js';
import type { PolynomialTerms } from './kernels.js';

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

/** A polynomial of every element, by tfjs operations: what the kernels of this package are on plaintext. A new float32 tensor. */
export function evaluateOnTensors(x: Tensor, { coefficients, basis, interval }: PolynomialTerms): Tensor {
  return tidy(() => {
    const t: Tensor = cast(x, 'float32');
    if (basis === 'monomial') return evaluatePolynomial(TENSORS, MONOMIAL, coefficients, t) ?? constant(x, coefficients);
    const { factor, shift } = unitMap(interval);
    return evaluatePolynomial(TENSORS, CHEBYSHEV, coefficients, TENSORS.scale(t, factor, shift)) ?? constant(x, coefficients);
  });
}

function constant({ shape }: Tensor, [first = 0]: readonly number[]): Tensor {
  return fill(shape, first);
}

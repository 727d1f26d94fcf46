import * as tf from '@tensorflow/tfjs-core';
import { cheapestBabySteps } from './cost.js';
import { evaluateChebyshev, type PolynomialAlgebra } from './evaluate.js';

/** Arithmetic in tfjs ops, elementwise. */
export const tensorAlgebra: PolynomialAlgebra<tf.Tensor> = {
  add: (a, b) => tf.add(a, b),
  subtract: (a, b) => tf.sub(a, b),
  multiply: (a, b) => tf.mul(a, b),
  square: (a) => tf.square(a),
  scale: (a, factor) => tf.mul(a, tf.scalar(factor)),
  addConstant: (a, constant) => tf.add(a, tf.scalar(constant)),
};

/**
 * `sum_k coefficients[k] T_k(u)` elementwise in tfjs ops (Add, Sub, Multiply, Square), at depth `ceil(log2(degree + 1))`.
 *
 * @param u tensor with entries in [-1, 1]; outside, the value is that of the polynomial and grows like `|2u|^degree`
 */
export function chebyshevPolynomial<T extends tf.Tensor>(coefficients: readonly number[], u: T): T {
  const { babySteps } = cheapestBabySteps(coefficients);
  // Elementwise ops with scalars keep the shape.
  return tf.tidy(() => evaluateChebyshev<tf.Tensor>(tensorAlgebra, coefficients, u, babySteps) as T);
}

import * as tf from '@tensorflow/tfjs-core';

/**
 * `x^n` by square and multiply, for an integer `n >= 1`: multiplicative depth `ceil(log2(n))`, no `Pow` kernel, defined for negative `x`.
 */
export function integerPower(x: tf.Tensor, n: number): tf.Tensor {
  if (n === 1) return x;
  const half = Math.floor(n / 2);
  const square = tf.square(integerPower(x, half));
  return n % 2 === 0 ? square : tf.mul(square, x);
}

/** Multiplicative depth of {@link integerPower}. */
export function integerPowerDepth(n: number): number {
  return Math.ceil(Math.log2(n));
}

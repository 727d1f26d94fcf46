import * as tf from '@tensorflow/tfjs-core';
import { columnSums } from './column_sums.js';
import { customGradient } from './custom_gradient.js';

/**
 * Root mean square normalisation over the last axis, `gamma * x / sqrt(mean(x^2) + epsilon)` (Zhang and Sennrich, arXiv 1910.07467), as one op
 * with a fused gradient. A large `epsilon` narrows the interval of the inverse square root's polynomial, as in `layerNorm`.
 *
 * @param x `[..., d]`
 * @param gamma `[d]`
 * @param epsilon added to the mean square, > 0
 */
export function rmsNorm<T extends tf.Tensor>(x: T, gamma: tf.Tensor, epsilon: number): T {
  return tf.tidy(() =>
    customGradient(
      [x, gamma],
      (input, scale) => {
        const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(input), -1, true), tf.scalar(epsilon)));
        const normalised = tf.mul(input, inverse);
        return { value: tf.mul<T>(normalised, scale), saved: [normalised, inverse, scale] };
      },
      (dy, [normalised, inverse, scale]) => {
        const scaled = tf.mul(dy, scale);
        const projection = tf.mul(normalised, tf.mean(tf.mul(scaled, normalised), -1, true));
        return [tf.mul(tf.sub(scaled, projection), inverse), columnSums(tf.mul(dy, normalised))];
      },
    ),
  );
}

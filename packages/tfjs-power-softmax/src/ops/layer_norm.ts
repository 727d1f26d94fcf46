import * as tf from '@tensorflow/tfjs-core';
import { columnSums } from './column_sums.js';
import { customGradient } from './custom_gradient.js';

/**
 * Layer normalisation over the last axis, `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, as one op with a fused gradient.
 *
 * A deliberately large `epsilon` bounds the inverse square root from above and so narrows the interval its polynomial has to cover.
 *
 * @param x `[..., d]`
 * @param gamma `[d]`
 * @param beta `[d]`
 * @param epsilon added to the variance, > 0
 */
export function layerNorm<T extends tf.Tensor>(x: T, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): T {
  return tf.tidy(() =>
    customGradient(
      [x, gamma, beta],
      (input, scale, shift) => {
        const centred = tf.sub(input, tf.mean(input, -1, true));
        const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), tf.scalar(epsilon)));
        const normalised = tf.mul(centred, inverse);
        return { value: tf.add<T>(tf.mul(normalised, scale), shift), saved: [normalised, inverse, scale] };
      },
      (dy, [normalised, inverse, scale]) => {
        const scaled = tf.mul(dy, scale);
        const projection = tf.mul(normalised, tf.mean(tf.mul(scaled, normalised), -1, true));
        const dx = tf.mul(tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), projection), inverse);
        return [dx, columnSums(tf.mul(dy, normalised)), columnSums(dy)];
      },
    ),
  );
}

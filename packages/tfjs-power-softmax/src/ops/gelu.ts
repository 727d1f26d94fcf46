import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom_gradient.js';

/**
 * Gaussian error linear unit `x * Phi(x)`, the exact form (Hendrycks and Gimpel, arXiv 1606.08415), with a fused gradient
 * `Phi(x) + x * phi(x)`.
 *
 * @param x float tensor of any shape
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() =>
    customGradient(
      [x],
      (input) => {
        const cdf = tf.mul(tf.add(tf.erf(tf.mul(input, tf.scalar(Math.SQRT1_2))), tf.scalar(1)), tf.scalar(0.5));
        return { value: tf.mul<T>(input, cdf), saved: [input, cdf] };
      },
      (dy, [input, cdf]) => {
        const density = tf.mul(tf.exp(tf.mul(tf.square(input), tf.scalar(-0.5))), tf.scalar(1 / Math.sqrt(2 * Math.PI)));
        return [tf.mul(dy, tf.add(cdf, tf.mul(input, density)))];
      },
    ),
  );
}

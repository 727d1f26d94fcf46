import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom_gradient.js';

/**
 * Sigmoid linear unit `x / (1 + exp(-x))` (arXiv 1606.08415, section 2), with a fused gradient `s + x s (1 - s)`, `s` the sigmoid.
 *
 * @param x float tensor of any shape
 */
export function silu<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() =>
    customGradient(
      [x],
      (input) => {
        const sigmoid = tf.sigmoid(input);
        return { value: tf.mul<T>(input, sigmoid), saved: [input, sigmoid] };
      },
      (dy, [input, sigmoid]) => {
        const rise = tf.mul(input, tf.sub(tf.scalar(1), sigmoid));
        return [tf.mul(dy, tf.mul(sigmoid, tf.add(tf.scalar(1), rise)))];
      },
    ),
  );
}

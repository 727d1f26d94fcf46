import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom_gradient.js';

/**
 * The quadratic `x^2 / 8 + x / 4 + 1/2` that MPCFormer (arXiv 2211.01452, section 3.2) puts in the place of GELU, as `(x + 1)^2 / 8 + 3/8`: a
 * polynomial as it is. Its gradient is `(x + 1) / 4`.
 *
 * @param x float tensor of any shape
 */
export function quadratic<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() =>
    customGradient(
      [x],
      (input) => {
        const shifted = tf.add<T>(input, tf.scalar(1));
        return { value: tf.add<T>(tf.mul(tf.square(shifted), tf.scalar(1 / 8)), tf.scalar(3 / 8)), saved: [shifted] };
      },
      (dy, [shifted]) => [tf.mul(dy, tf.mul(shifted, tf.scalar(1 / 4)))],
    ),
  );
}

import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';
import { customGradient } from './custom_gradient.js';

/**
 * Gaussian error linear unit `x * Phi(x)`, the exact form (Hendrycks and Gimpel, arXiv 1606.08415), with a fused gradient
 * `Phi(x) + x * phi(x)`.
 *
 * @param x float tensor of any shape
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() =>
    customGradient<T>([x], ([input], save) => {
      if (input === undefined) throw new InvalidArgumentError('gelu got no input.', {});
      const cdf = tf.mul(tf.add(tf.erf(tf.mul(input, tf.scalar(Math.SQRT1_2))), tf.scalar(1)), tf.scalar(0.5));
      save([input, cdf]);
      return {
        value: tf.mul(input, cdf),
        gradient: (dy, [savedInput, savedCdf]) => {
          if (savedInput === undefined || savedCdf === undefined) throw new InvalidArgumentError('gelu lost its saved tensors.', {});
          const density = tf.mul(tf.exp(tf.mul(tf.square(savedInput), tf.scalar(-0.5))), tf.scalar(1 / Math.sqrt(2 * Math.PI)));
          return [tf.mul(dy, tf.add(savedCdf, tf.mul(savedInput, density)))];
        },
      };
    }),
  );
}

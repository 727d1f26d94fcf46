import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom_gradient.js';

/**
 * `x @ kernel` for matrices, with a gradient that transposes explicitly: the WASM backend multiplies untransposed matrices with XNNPACK and
 * falls back to a loop seven times slower for the `transposeA`/`transposeB` products of tfjs' own gradient.
 *
 * @param x `[rows, d]`
 * @param kernel `[d, units]`
 */
export function linear(x: tf.Tensor2D, kernel: tf.Tensor2D): tf.Tensor2D {
  return customGradient(
    [x, kernel],
    (input, weights) => ({ value: tf.matMul<tf.Tensor2D>(input, weights), saved: [input, weights] }),
    (dy, [input, weights]) => [tf.matMul(dy, tf.transpose(weights)), tf.matMul(tf.transpose(input), dy)],
  );
}

import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';
import { customGradient } from './custom_gradient.js';

/**
 * `x @ kernel` for matrices, with a gradient that transposes explicitly: the WASM backend multiplies untransposed matrices with XNNPACK and
 * falls back to a loop seven times slower for the `transposeA`/`transposeB` products of tfjs' own gradient.
 *
 * @param x `[rows, d]`
 * @param kernel `[d, units]`
 */
export function linear(x: tf.Tensor2D, kernel: tf.Tensor2D): tf.Tensor2D {
  return customGradient<tf.Tensor2D>([x, kernel], ([input, weights], save) => {
    if (input === undefined || weights === undefined) throw new InvalidArgumentError('linear needs two inputs.', {});
    save([input, weights]);
    return {
      value: tf.matMul(input, weights),
      gradient: (dy, [savedInput, savedWeights]) => {
        if (savedInput === undefined || savedWeights === undefined) throw new InvalidArgumentError('linear lost its saved tensors.', {});
        return [tf.matMul(dy, tf.transpose(savedWeights)), tf.matMul(tf.transpose(savedInput), dy)];
      },
    };
  });
}

import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';
import { customGradient } from './custom_gradient.js';

/**
 * Largest entry of each example, `[batch, ...] -> [batch]`. The gradient goes to every entry that attains it, as in `tf.max`, but is found
 * by subtraction: the WASM backend's broadcasting `Equal` costs a hundred times as much.
 */
export function largestPerExample(x: tf.Tensor): tf.Tensor1D {
  const inner = Array.from({ length: x.rank - 1 }, (_, axis) => axis + 1);
  return customGradient<tf.Tensor1D>([x], ([input], save) => {
    if (input === undefined) throw new InvalidArgumentError('largestPerExample got no input.', {});
    const largest = tf.max(input, inner, true);
    save([input, largest]);
    return {
      value: tf.reshape(largest, [input.shape[0] ?? 1]),
      gradient: (dy, [savedInput, savedLargest]) => {
        if (savedInput === undefined || savedLargest === undefined) throw new InvalidArgumentError('The saved tensors were lost.', {});
        const attained = tf.sub(tf.scalar(1), tf.step(tf.sub(savedLargest, savedInput)));
        return [tf.mul(attained, tf.reshape(dy, savedLargest.shape))];
      },
    };
  });
}

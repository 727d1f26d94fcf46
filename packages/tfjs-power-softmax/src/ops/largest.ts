import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom_gradient.js';

/**
 * Largest entry of each example, `[batch, ...] -> [batch]`. The gradient goes to every entry that attains it, as in `tf.max`, but is found
 * by subtraction: the WASM backend's broadcasting `Equal` costs fifty times as much.
 */
export function largestPerExample(x: tf.Tensor): tf.Tensor1D {
  const inner = Array.from({ length: x.rank - 1 }, (_, axis) => axis + 1);
  return customGradient(
    [x],
    (input) => {
      const largest = tf.max(input, inner, true);
      return { value: tf.reshape<tf.Rank.R1>(largest, [largest.size]), saved: [input, largest] };
    },
    (dy, [input, largest]) => {
      const attained = tf.sub(tf.scalar(1), tf.step(tf.sub(largest, input)));
      return [tf.mul(attained, tf.reshape(dy, largest.shape))];
    },
  );
}

import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

/**
 * Multiplies token i (from 0) of `[batch, tokens, d]` by `sqrt(i + 1)`. Behind causal sigma attention, which is linear in its weights
 * `gelu(scores) / sqrt(i + 1)`, this takes the normalisation out again (and scales the output's bias, zero at the start, too).
 */
export class UnscaledRows extends layers.Layer {
  static readonly className = 'UnscaledRows';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = Array.isArray(inputs) ? inputs : [inputs];
    if (x === undefined) throw new Error('no input');
    const tokens = x.shape[1] ?? 0;
    return tf.tidy(() => tf.mul(x, tf.sqrt(tf.reshape(tf.range(1, tokens + 1), [1, tokens, 1]))));
  }
}
tf.serialization.registerClass(UnscaledRows);

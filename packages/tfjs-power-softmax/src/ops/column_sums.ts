import * as tf from '@tensorflow/tfjs-core';

/**
 * Sums over every axis but the last, `[..., d] -> [d]`, as a product with a row of ones: the WASM backend sums over leading axes by
 * transposing first, which takes ten times as long.
 */
export function columnSums(x: tf.Tensor): tf.Tensor1D {
  const units = x.shape[x.rank - 1] ?? 1;
  const rows = x.size / Math.max(units, 1);
  return tf.reshape(tf.matMul(tf.ones([1, rows]), tf.reshape<tf.Rank.R2>(x, [rows, units])), [units]);
}

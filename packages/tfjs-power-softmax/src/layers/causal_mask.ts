import * as tf from '@tensorflow/tfjs-core';

/**
 * What scores `[batch, heads, queries, keys]` are multiplied by so that query `i` sees keys `0..i` only: `[1, 1, queries, keys]`, zero after
 * the diagonal.
 *
 * @param weight of the visible keys of a row that sees `count` of them; default 1
 */
export function causalMask(queries: number, keys: number, weight: (count: number) => number = () => 1): tf.Tensor4D {
  const values = new Float32Array(queries * keys);
  for (let i = 0; i < queries; i++) {
    const count = Math.min(i + 1, keys);
    values.fill(weight(count), i * keys, i * keys + count);
  }
  return tf.tensor4d(values, [1, 1, queries, keys]);
}

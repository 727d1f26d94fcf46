import * as tf from '@tensorflow/tfjs-core';

/**
 * Rows `ids` of `table`, differentiable. The gradient is scattered in JavaScript, as tfjs' WASM backend lacks the kernel
 * (UnsortedSegmentSum) that the gradient of `tf.gather` needs.
 *
 * @param table `[rows, features]`
 * @returns `[ids.length, features]`
 */
export function lookup(table: tf.Tensor, ids: Int32Array): tf.Tensor {
  const [rows = 0, features = 0] = table.shape;
  const op = tf.customGrad((...[input]) => {
    if (!(input instanceof tf.Tensor)) throw new TypeError('lookup needs a table.');
    return {
      value: tf.gather(input, tf.tensor1d(ids, 'int32')),
      gradFunc: (dy: tf.Tensor) => tf.tensor2d(scatter(dy.dataSync(), ids, rows, features), [rows, features]),
    };
  });
  return op(table);
}

function scatter(dy: ArrayLike<number>, ids: Int32Array, rows: number, features: number): Float32Array {
  const sums = new Float32Array(rows * features);
  ids.forEach((id, row) => {
    for (let k = 0; k < features; k += 1) {
      const target = id * features + k;
      sums[target] = (sums[target] ?? 0) + (dy[row * features + k] ?? 0);
    }
  });
  return sums;
}

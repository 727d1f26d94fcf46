import * as tf from '@tensorflow/tfjs-core';
import { columnSums } from './column_sums.js';
import { customGradient } from './custom_gradient.js';

/**
 * `x @ kernel + bias` for matrices, with a gradient that transposes explicitly: the WASM backend multiplies untransposed matrices with
 * XNNPACK and falls back to a loop seven times slower for the `transposeA`/`transposeB` products of tfjs' own gradient.
 *
 * @param x `[rows, d]`
 * @param kernel `[d, units]`
 * @param bias `[units]`
 */
export function linear(x: tf.Tensor2D, kernel: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  if (bias === undefined) {
    return customGradient(
      [x, kernel],
      (input, weights) => ({ value: tf.matMul<tf.Tensor2D>(input, weights), saved: [input, weights] }),
      (dy, [input, weights]) => inputAndKernelGradients(dy, input, weights),
    );
  }
  return customGradient(
    [x, kernel, bias],
    (input, weights, offset) => ({ value: tf.add<tf.Tensor2D>(tf.matMul(input, weights), offset), saved: [input, weights] }),
    (dy, [input, weights]) => [...inputAndKernelGradients(dy, input, weights), columnSums(dy)],
  );
}

function inputAndKernelGradients(dy: tf.Tensor, input: tf.Tensor2D, kernel: tf.Tensor2D): [tf.Tensor, tf.Tensor] {
  const [features, units] = kernel.shape;
  // x^T dy = (dy^T x)^T: of the two tall matrices the narrower is transposed, and the kernel, which is small.
  const dKernel = features <= units ? tf.matMul(tf.transpose(input), dy) : tf.transpose(tf.matMul(tf.transpose(dy), input));
  return [tf.matMul(dy, tf.transpose(kernel)), dKernel];
}

import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { gelu, layerNorm, type PowerSoftmaxForm, powerSoftmax } from '../src/index.js';
import { linear } from '../src/ops/linear.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { largestDifference, normal, numericalGradient, powerSoftmaxRow, valuesOf } from './support/reference.js';

const FORMS: readonly PowerSoftmaxForm[] = ['stable', 'sum', 'mean'];
const ROW = [0.8, -1.1, 0.4, 1.5];

describe.each(BACKENDS)('gradients of gradients on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  /** d/dx of `sum(square(d/dx sum(cube(f(x)))))`, once by nesting and once by differences of the inner gradient. */
  function compare(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): number {
    const inner = tf.grad((input: tf.Tensor) => {
      const y = f(input);
      return tf.sum(tf.mul(tf.square(y), y));
    });
    const nested = valuesOf(tf.grad((input: tf.Tensor) => tf.sum(tf.square(inner(input))))(x));
    const outer = (point: number[]) => valuesOf(inner(tf.tensor(point, x.shape))).reduce((sum, g) => sum + g * g, 0);
    return largestDifference(nested, numericalGradient(outer, Array.from(x.dataSync()), 1e-2));
  }

  test.each(FORMS)('of powerSoftmax in form %s equal central differences', (form) => {
    expect(compare((x) => powerSoftmax(x, { epsilon: 0.3, form, mask: [1, 1, 0, 1] }), tf.tensor1d(ROW))).toBeLessThan(2e-3);
  });

  test('of gelu, layerNorm and linear equal central differences', () => {
    const kernel = normal([4, 4], 3) as tf.Tensor2D;
    const [gamma, beta] = [tf.tensor1d([1, 2, -1, 0.5]), tf.tensor1d([0, 1, 0, 1])];
    expect(compare((x) => gelu(x), tf.tensor1d(ROW))).toBeLessThan(1e-2);
    expect(compare((x) => layerNorm(x, gamma, beta, 0.5), tf.tensor2d([ROW]))).toBeLessThan(1e-2);
    expect(compare((x) => linear(x as tf.Tensor2D, kernel), tf.tensor2d([[0.1, -0.2, 0.3, 0.05]]))).toBeLessThan(2e-2);
  });

  test('of two uses of powerSoftmax in one function add up', () => {
    const weights = tf.tensor1d([1, -2, 0.5, 3]);
    const twice = (x: tf.Tensor, y: tf.Tensor) =>
      tf.sum(tf.mul(tf.add(powerSoftmax(x, { epsilon: 0.1 }), powerSoftmax(tf.add(x, y), { epsilon: 0.1, p: 2 })), weights));
    const reference = (x: readonly number[], y: readonly number[]) => {
      const [a, b] = [
        powerSoftmaxRow(x, 4, 0.1),
        powerSoftmaxRow(
          x.map((value, i) => value + y[i]!),
          2,
          0.1,
        ),
      ];
      return weights.arraySync().reduce((sum, w, i) => sum + w * (a[i]! + b[i]!), 0);
    };
    const shift = [0.2, 0.1, -0.9, 0.3];
    const gradients = tf.grads(twice);
    for (let use = 0; use < 2; use++) {
      const [dx, dy] = gradients([tf.tensor1d(ROW), tf.tensor1d(shift)]);
      expect(
        largestDifference(
          valuesOf(dx!),
          numericalGradient((x) => reference(x, shift), ROW),
        ),
      ).toBeLessThan(1e-4);
      expect(
        largestDifference(
          valuesOf(dy!),
          numericalGradient((y) => reference(ROW, y), shift),
        ),
      ).toBeLessThan(1e-4);
    }
  });
});

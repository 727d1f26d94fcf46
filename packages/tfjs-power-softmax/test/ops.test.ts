import { beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { gelu, layerNorm } from '../src/index.js';
import { columnSums } from '../src/ops/column_sums.js';
import { integerPower, integerPowerDepth } from '../src/ops/integer_power.js';
import { largestPerExample } from '../src/ops/largest.js';
import { linear } from '../src/ops/linear.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { largestDifference, normal, numericalGradient, valuesOf } from './support/reference.js';

/** Layer normalisation of one row in float64. */
function normRow(row: number[], gamma: number[], beta: number[], epsilon: number): number[] {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  return row.map((x, i) => ((x - mean) / Math.sqrt(variance + epsilon)) * gamma[i]! + beta[i]!);
}

describe.each(BACKENDS)('ops on %s', (backend) => {
  beforeEach(() => useBackend(backend));

  test('layerNorm equals the float64 reference', () => {
    const [row, gamma, beta] = [
      [1, -2, 0.5, 3],
      [1, 2, -1, 0.5],
      [0, 1, 2, 3],
    ];
    const actual = valuesOf(layerNorm(tf.tensor2d([row]), tf.tensor1d(gamma), tf.tensor1d(beta), 0.3));
    expect(largestDifference(actual, normRow(row, gamma, beta, 0.3))).toBeLessThan(1e-5);
  });

  test('gradients of layerNorm equal central differences for input, gamma and beta', () => {
    const [row, gamma, beta] = [
      [1, -2, 0.5, 3],
      [1, 2, -1, 0.5],
      [0, 1, 2, 3],
    ];
    const loss = (values: number[]): number => values.reduce((sum, y, i) => sum + y * Math.sin(i + 1), 0);
    const weights = tf.tensor1d([1, 2, 3, 4].map(Math.sin));
    const gradients = tf.grads((x: tf.Tensor, g: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(layerNorm(x, g, b, 0.3), weights)))([
      tf.tensor2d([row]),
      tf.tensor1d(gamma),
      tf.tensor1d(beta),
    ]);
    const expected = [
      numericalGradient((x) => loss(normRow(x, gamma, beta, 0.3)), row),
      numericalGradient((x) => loss(normRow(row, x, beta, 0.3)), gamma),
      numericalGradient((x) => loss(normRow(row, gamma, x, 0.3)), beta),
    ];
    for (const [i, gradient] of gradients.entries()) expect(largestDifference(valuesOf(gradient), expected[i]!)).toBeLessThan(1e-4);
  });

  test('gelu has the values of x Phi(x)', () => {
    // Phi(1) = 0.8413447460685429, Phi(2) = 0.9772498680518208.
    const expected = [-0.15865525, 0, 0.84134475, 1.95449974];
    expect(largestDifference(valuesOf(gelu(tf.tensor1d([-1, 0, 1, 2]))), expected)).toBeLessThan(1e-6);
  });

  test('the gradient of gelu equals central differences', () => {
    const x = [-3, -1, -0.2, 0, 0.7, 2.5];
    const value = (points: number[]): number => valuesOf(gelu(tf.tensor1d(points))).reduce((sum, y) => sum + y, 0);
    const actual = valuesOf(tf.grad((input: tf.Tensor) => tf.sum(gelu(input)))(tf.tensor1d(x)));
    expect(largestDifference(actual, numericalGradient(value, x, 1e-2))).toBeLessThan(2e-3);
  });

  test.each([
    [3, 4, false],
    [4, 3, false],
    [3, 4, true],
    [4, 3, true],
  ])('linear from %i to %i features (bias: %s) has the value and the gradients of stock ops', (features, units, biased) => {
    const inputs = [normal([5, features], 1), normal([features, units], 2), ...(biased ? [normal([units], 3)] : [])];
    const stock = (x: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor) => {
      const product = tf.matMul(x, kernel);
      return bias === undefined ? product : tf.add(product, bias);
    };
    const ours = (x: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor) =>
      linear(x as tf.Tensor2D, kernel as tf.Tensor2D, bias as tf.Tensor1D | undefined);
    const gradients = (f: typeof stock) => tf.grads((...args: tf.Tensor[]) => tf.sum(tf.square(f(args[0]!, args[1]!, args[2]))))(inputs);
    expect(valuesOf(ours(inputs[0]!, inputs[1]!, inputs[2]))).toEqual(valuesOf(stock(inputs[0]!, inputs[1]!, inputs[2])));
    const expected = gradients(stock);
    gradients(ours).forEach((gradient, i) => {
      expect(gradient.shape).toEqual(expected[i]!.shape);
      expect(largestDifference(valuesOf(gradient), valuesOf(expected[i]!))).toBeLessThan(1e-5);
    });
  });

  test.each([[[7]], [[2, 3]], [[2, 3, 4]]])('columnSums of %j sums over all axes but the last', (shape) => {
    const x = normal(shape, 5);
    const sums = tf.sum(tf.reshape(x, [-1, shape.at(-1)!]), 0);
    expect(largestDifference(valuesOf(columnSums(x)), valuesOf(sums))).toBeLessThan(1e-6);
  });

  test('largestPerExample has the value and the gradient of max', () => {
    const x = normal([3, 2, 4], 3);
    const max = (input: tf.Tensor) => tf.max(input, [1, 2]);
    expect(valuesOf(largestPerExample(x))).toEqual(valuesOf(max(x)));
    const square = (f: (input: tf.Tensor) => tf.Tensor) => tf.grad((input: tf.Tensor) => tf.sum(tf.square(f(input))));
    expect(valuesOf(square(largestPerExample)(x))).toEqual(valuesOf(square(max)(x)));
  });
});

test.each([1, 2, 3, 4, 6, 7, 8, 16])('integerPower to the %i equals Math.pow at its stated depth', async (n) => {
  await useBackend('cpu');
  const x = [-1.5, 0, 0.7, 2];
  expect(
    largestDifference(
      valuesOf(tf.clone(integerPower(tf.tensor1d(x), n))),
      x.map((value) => value ** n),
    ),
  ).toBeLessThan(1e-5);
  expect(2 ** integerPowerDepth(n)).toBeGreaterThanOrEqual(n);
});

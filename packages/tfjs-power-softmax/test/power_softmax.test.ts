import { beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { InvalidArgumentError, type PowerSoftmaxForm, powerSoftmax } from '../src/index.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { largestDifference, numericalGradient, powerSoftmaxRow, valuesOf } from './support/reference.js';

const FORMS: readonly PowerSoftmaxForm[] = ['stable', 'sum', 'mean'];
const score = fc.float({ min: -4, max: 4, noNaN: true }).map((x) => (Math.abs(x) < 1e-3 ? 0 : x));
const rows = fc.array(score, { minLength: 1, maxLength: 9 });
const powers = fc.constantFrom(2, 4, 6, 8, 10, 12, 14, 16);
const runs = { numRuns: 60, seed: 20241012 };

describe.each(BACKENDS)('powerSoftmax on %s', (backend) => {
  beforeEach(() => useBackend(backend));

  test.each(FORMS)('form %s equals the float64 reference', (form) => {
    fc.assert(
      fc.property(rows, powers, fc.constantFrom(1e-3, 0.05, 1), (row, p, epsilon) => {
        const actual = valuesOf(powerSoftmax(row, { p, epsilon, form }));
        expect(largestDifference(actual, powerSoftmaxRow(row, p, epsilon))).toBeLessThan(2e-5);
      }),
      runs,
    );
  });

  test('the gradient equals central differences of the float64 reference', () => {
    fc.assert(
      fc.property(rows, powers, fc.constantFrom(...FORMS), (row, p, form) => {
        const epsilon = 0.1;
        const upstream = row.map((_, i) => Math.cos(3 * i + 1));
        const loss = (x: number[]): number => powerSoftmaxRow(x, p, epsilon).reduce((sum, y, i) => sum + y * upstream[i]!, 0);
        const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(powerSoftmax(x, { p, epsilon, form }), upstream)));
        const actual = valuesOf(gradient(tf.tensor1d(row)));
        expect(largestDifference(actual, numericalGradient(loss, row))).toBeLessThan(5e-4);
      }),
      runs,
    );
  });

  test('values from 1e-30 to 1e30 neither overflow nor underflow', () => {
    const row = [1e-30, 0, 2e-30, -1e-30];
    const large = row.map((x) => x * 1e30 * 1e30);
    const expected = [1 / 18, 0, 16 / 18, 1 / 18];
    expect(largestDifference(valuesOf(powerSoftmax([row, large], { epsilon: 0 })), [...expected, ...expected])).toBeLessThan(1e-6);
  });

  test('gradients of extreme rows are finite', () => {
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(powerSoftmax(x, { epsilon: 1e-3 }))));
    const x = tf.tensor2d([
      [1e-40, 0, 0],
      [1e30, -1e30, 1],
      [0, 0, 0],
    ]);
    expect(valuesOf(gradient(x)).every(Number.isFinite)).toBe(true);
  });

  test('rows of zeros and fully masked rows give zeros, also without epsilon', () => {
    const x = [
      [0, 0, 0],
      [1, 2, 3],
    ];
    const mask = [
      [1, 1, 1],
      [0, 0, 0],
    ];
    for (const form of FORMS)
      for (const epsilon of [0, 1e-3]) expect(valuesOf(powerSoftmax(x, { mask, epsilon, form }))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('a masked entry counts as a zero score, in value and in gradient', () => {
    const x = tf.tensor1d([3, -1, 2, 0.5]);
    const mask = tf.tensor1d([1, 0, 1, 1]);
    const zeroed = tf.tensor1d([3, 0, 2, 0.5]);
    expect(valuesOf(powerSoftmax(x, { mask }))).toEqual(valuesOf(powerSoftmax(zeroed)));
    const loss = (input: tf.Tensor, useMask: boolean) => tf.sum(tf.square(powerSoftmax(input, useMask ? { mask } : {})));
    const gradient = (useMask: boolean, at: tf.Tensor) => valuesOf(tf.grad((input: tf.Tensor) => loss(input, useMask))(at));
    expect(largestDifference(gradient(true, x), gradient(false, zeroed))).toBe(0);
  });
});

describe('powerSoftmax', () => {
  beforeEach(() => useBackend('cpu'));

  test('without epsilon the value does not change when a row is scaled', () => {
    fc.assert(
      fc.property(rows, powers, fc.constantFrom(1e-20, 1e-6, 0.3, 7, 1e15), (row, p, factor) => {
        const scaled = valuesOf(
          powerSoftmax(
            row.map((x) => x * factor),
            { p, epsilon: 0 },
          ),
        );
        expect(largestDifference(scaled, valuesOf(powerSoftmax(row, { p, epsilon: 0 })))).toBeLessThan(1e-5);
      }),
      runs,
    );
  });

  test('permuting the scores permutes the weights', () => {
    fc.assert(
      fc.property(rows, fc.integer(), (row, seed) => {
        const order = row.map((_, i) => i).sort((a, b) => Math.sin(a + seed) - Math.sin(b + seed));
        const weights = valuesOf(powerSoftmax(row));
        const permuted = valuesOf(powerSoftmax(order.map((i) => row[i]!)));
        expect(
          largestDifference(
            permuted,
            order.map((i) => weights[i]!),
          ),
        ).toBeLessThan(1e-6);
      }),
      runs,
    );
  });

  test('weights are in [0, 1] and sum to 1 less the share of epsilon', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(0.01, 0.5), (row, epsilon) => {
        const weights = valuesOf(powerSoftmax(row, { epsilon }));
        const powered = row.reduce((sum, x) => sum + x ** 4, 0);
        const total = weights.reduce((sum, w) => sum + w, 0);
        expect(weights.every((w) => w >= 0 && w <= 1)).toBe(true);
        expect(total).toBeCloseTo(powered / (powered + row.length * epsilon), 5);
      }),
      runs,
    );
  });

  test('normalises over the axis asked for', () => {
    const x = [
      [1, 2],
      [3, 0],
    ];
    const expected = [powerSoftmaxRow([1, 3], 4, 0), powerSoftmaxRow([2, 0], 4, 0)];
    const actual = valuesOf(powerSoftmax(x, { axis: 0, epsilon: 0 }));
    expect(largestDifference(actual, [expected[0]![0]!, expected[1]![0]!, expected[0]![1]!, expected[1]![1]!])).toBeLessThan(1e-6);
  });

  test.each([
    ['odd p', { p: 3 }],
    ['p of 0', { p: 0 }],
    ['p above 16', { p: 18 }],
    ['fractional p', { p: 2.5 }],
    ['negative epsilon', { epsilon: -1 }],
    ['epsilon NaN', { epsilon: Number.NaN }],
    ['axis outside', { axis: 1 }],
  ])('rejects %s', (_, options) => {
    expect(() => powerSoftmax([1, 2], options)).toThrow(InvalidArgumentError);
  });

  test('leaves no tensors behind', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const before = tf.memory().numTensors;
    powerSoftmax(x).dispose();
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

import { beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { InvalidArgumentError, type PowerSoftmaxForm, powerSoftmax } from '../src/index.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { largestDifference, normal, numericalGradient, powerSoftmaxRow, valuesOf } from './support/reference.js';

const FORMS: readonly PowerSoftmaxForm[] = ['stable', 'sum', 'mean'];
const runs = { numRuns: 30, seed: 20241012 };

/** Lower triangle of ones. */
function causalMask(length: number): number[][] {
  return Array.from({ length }, (_, i) => Array.from({ length }, (_, j) => (j <= i ? 1 : 0)));
}

/** Row i is PowerSoftmax of its first i + 1 entries alone, then zeros. */
function causalReference(rows: number[][], p: number, epsilon: number): number[] {
  return rows.flatMap((row, i) => [...powerSoftmaxRow(row.slice(0, i + 1), p, epsilon), ...row.slice(i + 1).map(() => 0)]);
}

const square = fc.integer({ min: 1, max: 6 }).chain((length) =>
  fc.array(fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: length, maxLength: length }), {
    minLength: length,
    maxLength: length,
  }),
);

describe.each(BACKENDS)('powerSoftmax of causal rows on %s', (backend) => {
  beforeEach(() => useBackend(backend));

  test.each(FORMS)('in form %s every row equals PowerSoftmax of its visible entries', (form) => {
    fc.assert(
      fc.property(square, fc.constantFrom(2, 4, 8), (rows, p) => {
        const actual = valuesOf(powerSoftmax(rows, { p, epsilon: 0.1, form, mask: causalMask(rows.length), counts: 'visible' }));
        expect(largestDifference(actual, causalReference(rows, p, 0.1))).toBeLessThan(2e-5);
      }),
      runs,
    );
  });

  test.each(FORMS)('in form %s the gradient equals central differences', (form) => {
    const rows = (normal([4, 4], 8).arraySync() as number[][]).map((row) => row.map((x) => x + 0.1));
    const upstream = Array.from({ length: 16 }, (_, i) => Math.cos(3 * i + 1));
    const unflatten = (x: number[]) => rows.map((_, i) => x.slice(4 * i, 4 * i + 4));
    const loss = (x: number[]) => causalReference(unflatten(x), 4, 0.2).reduce((sum, y, i) => sum + y * upstream[i]!, 0);
    const options = { epsilon: 0.2, form, mask: causalMask(4), counts: 'visible' } as const;
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(powerSoftmax(x, options), tf.tensor2d(upstream, [4, 4]))));
    expect(largestDifference(valuesOf(gradient(tf.tensor2d(rows))), numericalGradient(loss, rows.flat()))).toBeLessThan(1e-4);
  });
});

describe('counts and masks of powerSoftmax', () => {
  beforeEach(() => useBackend('cpu'));

  test('given counts equal counted ones, for a broadcast mask too', () => {
    const x = normal([2, 3, 5, 5], 4);
    const mask = tf.tensor2d(causalMask(5));
    const counts = tf.tensor2d([[1], [2], [3], [4], [5]]);
    expect(valuesOf(powerSoftmax(x, { mask, counts, form: 'mean' }))).toEqual(
      valuesOf(powerSoftmax(x, { mask, counts: 'visible', form: 'mean' })),
    );
  });

  test('a fully masked row gives zeros in value and gradient when visible entries are counted', () => {
    const mask = [
      [0, 0, 0],
      [1, 0, 1],
    ];
    for (const form of FORMS)
      for (const epsilon of [0, 1e-3]) {
        const weights = (x: tf.Tensor) => powerSoftmax(x, { mask, counts: 'visible', epsilon, form });
        const x = tf.tensor2d([
          [1, 2, 3],
          [1, 2, 3],
        ]);
        expect(valuesOf(weights(x)).slice(0, 3)).toEqual([0, 0, 0]);
        const gradient = valuesOf(tf.grad((input: tf.Tensor) => tf.sum(tf.square(weights(input))))(x));
        expect(gradient.slice(0, 3).map(Math.abs)).toEqual([0, 0, 0]);
        expect(gradient.every(Number.isFinite)).toBe(true);
      }
  });

  test('rows of any magnitude between 1e-30 and 1e30 give finite weights that sum to 1 without epsilon', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: -30, max: 29 }),
        fc.constantFrom(2, 8, 16),
        (digits, exponent, p) => {
          const weights = valuesOf(
            powerSoftmax(
              digits.map((digit) => digit * 10 ** exponent),
              { p, epsilon: 0 },
            ),
          );
          expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 5);
        },
      ),
      runs,
    );
  });

  test.each([
    [
      'a mask that would enlarge x',
      {
        mask: [
          [1, 1, 1],
          [1, 1, 1],
        ],
      },
    ],
    ['a mask of another length', { mask: [1, 0] }],
    ['counts per entry', { counts: [1, 2, 3] }],
    ['visible counts without a mask', { counts: 'visible' }],
  ])('rejects %s', (_, options) => {
    expect(() => powerSoftmax([1, 2, 3], options)).toThrow(InvalidArgumentError);
  });
});

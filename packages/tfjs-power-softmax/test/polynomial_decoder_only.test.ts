import { describe, expect, test } from '@jest/globals';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assertIntervals, checkIntervals, type EncoderBlockArgs, toPolynomial } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const x = normal([80, TOKENS, FEATURES], 31, 0.7);
const predict = (of: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);

describe.each<Partial<EncoderBlockArgs>>([
  { causal: true },
  { rotary: true },
  { rotary: true, rotaryDim: 2, rotaryBase: 100, causal: true },
  { causal: true, rotary: true, useBias: true, numHeads: 2, keyValueHeads: 1, p: 2 },
])('the polynomial of a block with %j', (args) => {
  const block = classifier(args);
  const { model } = toPolynomial(block, { calibration: x, bits: 18 });

  test('approaches the block', () => {
    expect(largestDifference(predict(model, x), predict(block, x))).toBeLessThan(1e-4);
    assertIntervals(model, x);
  });

  test('predicts the same after saving and loading', async () => {
    expect(predict(await roundTrip(model), x)).toEqual(predict(model, x));
  });

  test('takes a mask', () => {
    const masked = classifier(args, true);
    const { x: padded, mask } = paddedExamples(80, 3);
    const polynomial = toPolynomial(masked, { calibration: [padded, mask], bits: 18 }).model;
    expect(largestDifference(predict(polynomial, [padded, mask]), predict(masked, [padded, mask]))).toBeLessThan(1e-4);
  });
});

test('a causal denominator lies in the same interval before and after conversion', () => {
  const block = classifier({ causal: true });
  const { model } = toPolynomial(block, { calibration: x, bits: 12 });
  const [denominator] = checkIntervals(model, x);
  expect(denominator!.site).toBe('block_0/attention/denominator');
  expect(denominator!.interval[0]).toBe(0.5);
  expect(denominator!.observed[0]).toBeGreaterThanOrEqual(0.5 - 1e-5);
});

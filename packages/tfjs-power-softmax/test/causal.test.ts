import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { collectRanges, MultiHeadAttention } from '../src/index.js';
import { scoreWeights } from '../src/layers/score_weights.js';
import { useBackend } from './support/backend.js';
import { FEATURES, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const KINDS = ['power', 'softmax', 'sigma'] as const;
const OPTIONS = { p: 4, epsilon: 0.1, form: 'mean', causal: false, name: 'layer' } as const;

function apply(layer: MultiHeadAttention, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return layer.apply(inputs) as tf.Tensor;
}

describe.each(KINDS)('causal %s attention', (attention) => {
  const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 4, attention, causal: true, epsilon: 0.1, seed: 5 });
  const x = normal([2, TOKENS, FEATURES], 6);

  test('does not read later tokens', () => {
    const changed = tf.concat([tf.slice(x, [0, 0, 0], [-1, 3, -1]), normal([2, TOKENS - 3, FEATURES], 7)], 1);
    const head = (y: tf.Tensor) => valuesOf(tf.slice(y, [0, 0, 0], [-1, 3, -1]));
    expect(largestDifference(head(apply(layer, changed)), head(apply(layer, x)))).toBeLessThan(1e-6);
  });

  test('gives a token what attention over it and those before it alone gives', () => {
    const open = new MultiHeadAttention({ ...layer.config, causal: false });
    for (let length = 1; length <= TOKENS; length++) {
      const prefix = tf.slice(x, [0, 0, 0], [-1, length, -1]);
      apply(open, prefix);
      apply(layer, x);
      open.setWeights(layer.getWeights());
      const last = (y: tf.Tensor) => valuesOf(tf.slice(y, [0, length - 1, 0], [-1, 1, -1]));
      expect(largestDifference(last(apply(open, prefix)), last(apply(layer, x)))).toBeLessThan(1e-5);
    }
  });

  test('with a mask does not read masked tokens either', () => {
    const mask = tf.tensor2d([
      [1, 0, 1, 1, 1, 1],
      [0, 0, 1, 1, 1, 1],
    ]);
    const changed = tf.add(x, tf.mul(tf.sub(1, tf.reshape(mask, [2, TOKENS, 1])), normal([2, TOKENS, FEATURES], 8)));
    const visible = (y: tf.Tensor) => valuesOf(tf.mul(y, tf.reshape(mask, [2, TOKENS, 1])));
    const actual = visible(apply(layer, [changed, mask]));
    expect(largestDifference(actual, visible(apply(layer, [x, mask])))).toBeLessThan(1e-5);
  });
});

test('a token that sees nothing gets zeros from power and sigma attention, and numbers from softmax', () => {
  const mask = tf.tensor2d([[0, 1, 1]]);
  for (const attention of KINDS) {
    const weights = valuesOf(scoreWeights(normal([1, 1, 3, 3], 1) as tf.Tensor4D, { ...OPTIONS, attention, causal: true }, mask));
    expect(weights.every(Number.isFinite)).toBe(true);
    if (attention !== 'softmax') expect(weights.slice(0, 3).map(Math.abs)).toEqual([0, 0, 0]);
  }
});

test('sigma weights are GELU of the scores over the square root of the number of visible keys', () => {
  // gelu(1) = 0.84134475, gelu(2) = 1.95449974.
  const scores = tf.tensor4d([1, 2, 2, 1], [1, 1, 2, 2]);
  const root = Math.SQRT1_2;
  const all = valuesOf(scoreWeights(scores, { ...OPTIONS, attention: 'sigma' }));
  expect(largestDifference(all, [0.84134475 * root, 1.95449974 * root, 1.95449974 * root, 0.84134475 * root])).toBeLessThan(1e-6);
  const causal = valuesOf(scoreWeights(scores, { ...OPTIONS, attention: 'sigma', causal: true }));
  expect(largestDifference(causal, [0.84134475, 0, 1.95449974 * root, 0.84134475 * root])).toBeLessThan(1e-6);
});

test('sigma attention reports its scores, and causal PowerSoftmax the mean over visible keys', () => {
  const scores = tf.tensor4d([1, 9, 2, 4], [1, 1, 2, 2]);
  const sites = (attention: 'power' | 'sigma') =>
    collectRanges(() => scoreWeights(scores, { ...OPTIONS, attention, causal: true, p: 2 })).sites.map((site) => ({
      ...site,
      values: valuesOf(site.values),
    }));
  expect(sites('sigma')).toEqual([{ name: 'layer/scores', function: 'gelu', values: [1, 9, 2, 4] }]);
  const [denominator] = sites('power');
  expect(denominator!.name).toBe('layer/denominator');
  expect(largestDifference(denominator!.values, [1 + 0.1, (4 + 16) / 2 + 0.1])).toBeLessThan(1e-6);
});

import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  assertIntervals,
  collectRanges,
  DecoderBlock,
  EncoderBlock,
  type EncoderBlockArgs,
  gelu,
  LayerNorm,
  layerNorm,
  MultiHeadAttention,
  type NormKind,
  RMSNorm,
  toPolynomial,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const [KEYS, MEMORY_FEATURES] = [4, 5];
const x = normal([80, TOKENS, FEATURES], 31, 0.7);
const predict = (of: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);

/** The decoder-only stack of GPT-2: two pre-norm blocks and a last normalisation. */
function stack(args: Partial<EncoderBlockArgs> = {}): tfl.LayersModel {
  const input = tfl.input({ shape: [TOKENS, FEATURES] });
  const settings = { ...BLOCK, normFirst: true, causal: true, ...args };
  const first = new EncoderBlock({ ...settings, name: 'first' }).apply(input);
  const second = new EncoderBlock({ ...settings, name: 'second', seed: 8 }).apply(first);
  const last = args.norm === 'rms' ? new RMSNorm({ name: 'last', epsilon: 0.3 }) : new LayerNorm({ name: 'last', epsilon: 0.3 });
  return tfl.model({ inputs: input, outputs: last.apply(second) as tfl.SymbolicTensor });
}

describe('a pre-norm encoder block', () => {
  test('computes x + attention(norm(x)), then a + feedForward(norm(a))', () => {
    const block = new EncoderBlock({ ...BLOCK, normFirst: true });
    const attention = new MultiHeadAttention({ numHeads: 2, keyDim: 4, epsilon: 0.5 });
    const sample = normal([2, TOKENS, FEATURES], 4);
    const actual = valuesOf(block.apply(sample) as tf.Tensor);
    attention.apply(sample);
    attention.setWeights(
      ['query/kernel', 'key/kernel', 'value/kernel', 'output/kernel', 'output/bias'].map((w) => block.weight(`attention/${w}`)),
    );
    const normalised = (of: tf.Tensor, norm: string) => layerNorm(of, block.weight(`${norm}/gamma`), block.weight(`${norm}/beta`), 0.3);
    const { hidden, output } = block.feedForwardWeights();
    const affine = (of: tf.Tensor, { kernel, bias }: typeof hidden) => tf.add(tf.matMul(tf.reshape(of, [2 * TOKENS, -1]), kernel), bias!);
    const middle = tf.add(sample, attention.apply(normalised(sample, 'attention_norm')) as tf.Tensor);
    const change = affine(gelu(affine(normalised(middle, 'feed_forward_norm'), hidden)), output);
    expect(largestDifference(actual, valuesOf(tf.add(middle, tf.reshape(change, middle.shape))))).toBeLessThan(1e-5);
  });

  test('keeps weights and sites of the names that a post-norm block has', () => {
    const names = (normFirst: boolean) => {
      const block = classifier({ normFirst });
      const { sites } = collectRanges(() => block.apply(x));
      return [block.weights.map(({ originalName }) => originalName), sites.map(({ name }) => name).sort()];
    };
    expect(names(true)).toEqual(names(false));
  });

  test('trains', () => {
    const block = classifier({ normFirst: true, dropout: 0.05 });
    const labels = tf.oneHot(
      tf.tensor1d(
        Array.from({ length: 80 }, (_, i) => i % 3),
        'int32',
      ),
      3,
    );
    const optimizer = tf.train.adam(0.02);
    const step = () =>
      optimizer
        .minimize(() => tf.losses.softmaxCrossEntropy(labels, block.apply(x, { training: true }) as tf.Tensor), true)!
        .dataSync()[0]!;
    const first = step();
    for (let i = 0; i < 60; i++) step();
    expect(step()).toBeLessThan(first / 1.5);
  });
});

describe.each<Partial<EncoderBlockArgs>>([{}, { norm: 'rms', activation: 'swiglu', rotary: true }])('a pre-norm stack with %j', (args) => {
  const model = stack(args);
  const { model: polynomial } = toPolynomial(model, { calibration: x, bits: 18, margin: 1.1 });

  test('has a polynomial that approaches it', () => {
    expect(largestDifference(predict(polynomial, x), predict(model, x))).toBeLessThan(1e-3);
    assertIntervals(polynomial, x);
  });

  test('predicts the same after saving and loading, as does its polynomial', async () => {
    for (const each of [model, polynomial]) expect(predict(await roundTrip(each), x)).toEqual(predict(each, x));
  });
});

test('the polynomial of a pre-norm block has the sub-layers of a post-norm one, and two residual sums', () => {
  const { model } = toPolynomial(classifier({ normFirst: true }), { calibration: x });
  expect(model.layers.map(({ name }) => name)).toEqual([
    'embedded',
    'block_0/attention_norm',
    'block_0/attention',
    'block_0/attention_residual',
    'block_0/feed_forward_norm',
    'block_0/feed_forward',
    'block_0/feed_forward_residual',
    'pool',
    'logits',
  ]);
});

test.each<[NormKind, boolean]>([
  ['rms', true],
  ['layer', false],
])('zero padding masks itself before a pre-norm %s: %s', (norm, itself) => {
  const block = new EncoderBlock({ ...BLOCK, normFirst: true, norm });
  const { x: padded, mask } = paddedExamples(5, 11);
  const visible = (of: tf.Tensor) => valuesOf(tf.mul(of, tf.reshape(mask, [5, TOKENS, 1])));
  block.apply(padded);
  if (norm === 'layer') block.setWeights(block.getWeights().map((w, i) => tf.add(w, normal(w.shape, i + 1, 0.1))));
  const difference = largestDifference(visible(block.apply(padded) as tf.Tensor), visible(block.apply([padded, mask]) as tf.Tensor));
  expect(difference < 1e-6).toBe(itself);
});

test('a pre-norm decoder block adds each sub-layer to its input, and reads the memory as it is', async () => {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [KEYS, MEMORY_FEATURES] })];
  const decoder = new DecoderBlock({ ...BLOCK, name: 'decoder', normFirst: true });
  const model = tfl.model({ inputs, outputs: decoder.apply(inputs) as tfl.SymbolicTensor });
  const data = [normal([2, TOKENS, FEATURES], 1), normal([2, KEYS, MEMORY_FEATURES], 2)];
  expect(predict(await roundTrip(model), data)).toEqual(predict(model, data));
  // Without what the sub-layers add, a pre-norm block passes its input on; a post-norm one would normalise it.
  decoder.setWeights(decoder.getWeights().map((w, i) => (/output/.test(decoder.weights[i]!.originalName) ? tf.zerosLike(w) : w)));
  expect(largestDifference(predict(model, data), valuesOf(tf.clone(data[0]!)))).toBe(0);
});

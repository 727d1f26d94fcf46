import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {
  type ActivationKind,
  ClassificationHead,
  DecoderBlock,
  EncoderBlock,
  FeedForward,
  type FitOptions,
  InvalidArgumentError,
  LanguageModelHead,
  LayerNorm,
  LearnedPositions,
  MaskedMeanPooling,
  MultiHeadAttention,
  PowerSoftmax,
  RMSNorm,
  TokenPooling,
  type TokenPosition,
  toPolynomial,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, classifier, FEATURES, paddedExamples, TOKENS } from './support/models.js';

await useBackend('cpu');

const { x } = paddedExamples(40, 71);

function errorOf(run: () => unknown): InvalidArgumentError {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A classifier with one entry of one weight replaced. */
function spoilt(layer: string, weight: number, value: number): tfl.LayersModel {
  const model = classifier();
  const weights = model.getLayer(layer).getWeights();
  const data = weights[weight]!.dataSync().slice();
  data[data.length - 1] = value;
  model.getLayer(layer).setWeights(weights.map((tensor, i) => (i === weight ? tf.tensor(data, tensor.shape) : tensor)));
  return model;
}

describe('a setting out of range is refused, naming the layer:', () => {
  const name = 'named';
  const attention = { name, numHeads: 2, keyDim: 4 };
  test.each<[string, () => unknown]>([
    ['an odd p', () => new EncoderBlock({ ...BLOCK, name, p: 3 })],
    ['a fractional p', () => new PowerSoftmax({ name, p: 2.5 })],
    ['a p above 16', () => new DecoderBlock({ ...BLOCK, name, p: 18 })],
    ['a p of 0', () => new MultiHeadAttention({ ...attention, p: 0 })],
    ['a negative epsilon', () => new MultiHeadAttention({ ...attention, epsilon: -1 })],
    ['key and value heads that do not divide', () => new MultiHeadAttention({ ...attention, keyValueHeads: 3 })],
    ['rotary positions on an odd size', () => new MultiHeadAttention({ ...attention, keyDim: 3, rotary: true })],
    ['a dropout of 1', () => new EncoderBlock({ ...BLOCK, name, dropout: 1 })],
    ['a hidden size of 0', () => new FeedForward({ name, hiddenDim: 0 })],
    ['an unknown activation', () => new FeedForward({ name, hiddenDim: 2, activation: 'relu' as ActivationKind })],
    ['an epsilon that is no number', () => new LayerNorm({ name, epsilon: Number.NaN })],
    ['a negative epsilon of RMSNorm', () => new RMSNorm({ name, epsilon: -1 })],
    ['no positions', () => new LearnedPositions({ name, maxTokens: 0 })],
    ['half a unit', () => new ClassificationHead({ name, units: 0.5 })],
    ['no units', () => new LanguageModelHead({ name, units: 0 })],
    ['a count of 0', () => new MaskedMeanPooling({ name, count: 0 })],
    ['an unknown position', () => new TokenPooling({ name, position: 'middle' as TokenPosition })],
  ])('%s', (_, make) => {
    const error = errorOf(make);
    expect(error.context.layer).toBe(name);
    expect(error.message).toContain(`${name}: `);
  });
});

describe('weights that are not finite are refused, naming the layer:', () => {
  test.each([
    ['block_0', 0, Number.NaN],
    ['block_0', 5, Number.POSITIVE_INFINITY],
    ['logits', 1, Number.NaN],
  ])('%s, weight %i with %d', (layer, weight, value) => {
    const error = errorOf(() => toPolynomial(spoilt(layer, weight, value), { calibration: x }));
    expect(error.context.layer).toBe(layer);
    expect(error.message).toContain(`layer ${layer} holds ${value}`);
  });

  test('before any data is looked at', () => {
    const empty = tf.zeros([0, TOKENS, FEATURES]);
    expect(errorOf(() => toPolynomial(spoilt('logits', 0, Number.NaN), { calibration: empty })).context.layer).toBe('logits');
  });
});

describe('calibration data that yields an empty interval is refused, naming the site and its layer:', () => {
  test('padding alone, at whose denominators and variances everything is epsilon', () => {
    const error = errorOf(() => toPolynomial(classifier(), { calibration: tf.zeros([8, TOKENS, FEATURES]) }));
    expect(error.context).toMatchObject({ layer: 'block_0/attention', site: 'block_0/attention/denominator', value: 0.5 });
    expect(error.message).toMatch(/block_0\/attention\/denominator nothing but 0\.5, an empty interval/);
  });

  test('an activation that sees one value only', () => {
    const model = classifier();
    const weights = model.getLayer('block_0').getWeights();
    const names = model.getLayer('block_0').weights.map((weight) => weight.originalName);
    const silenced = weights.map((tensor, i) => (names[i]!.includes('hidden') ? tf.zerosLike(tensor) : tensor));
    model.getLayer('block_0').setWeights(silenced);
    const error = errorOf(() => toPolynomial(model, { calibration: x }));
    expect(error.context).toMatchObject({ layer: 'block_0/feed_forward', value: 0 });
  });

  test('values that differ by float32 rounding only', () => {
    const error = errorOf(() => toPolynomial(classifier(), { calibration: tf.fill([8, TOKENS, FEATURES], 1e-4) }));
    expect(error.message).toContain('empty interval');
  });

  test('one example that varies is enough', () => {
    const calibration = tf.concat([tf.zeros([8, TOKENS, FEATURES]), tf.slice(x, 0, 1)]);
    expect(toPolynomial(classifier(), { calibration }).report.sites).toHaveLength(4);
  });
});

describe('margins', () => {
  const sites = (margin: FitOptions['margin']) => toPolynomial(classifier(), { calibration: x, margin }).report.sites;
  const margins = (margin: FitOptions['margin']) => sites(margin).map((site) => site.calibration.margin);

  test('are one number, or numbers by function with a default of 1.3', () => {
    expect(margins(2)).toEqual([2, 2, 2, 2]);
    expect(margins({ reciprocal: 3, gelu: 1.1 })).toEqual([3, 1.3, 1.1, 1.3]);
    expect(margins({ rsqrt: 2 })).toEqual([1.3, 2, 1.3, 2]);
    expect(margins({})).toEqual([1.3, 1.3, 1.3, 1.3]);
  });

  test('of a site win over those of its function', () => {
    expect(margins({ rsqrt: 2, 'block_0/feed_forward_norm/variance': 4 })).toEqual([1.3, 2, 1.3, 4]);
  });

  test('widen the interval of their function alone', () => {
    const [plain, widened] = [sites(1.3), sites({ reciprocal: 3 })];
    expect(widened[0]!.interval[1] - 0.5).toBeCloseTo((plain[0]!.interval[1] - 0.5) * (3 / 1.3), 4);
    expect(widened.slice(1)).toEqual(plain.slice(1));
  });

  test.each([{ gelu: 0.9 }, { rsqrt: Number.NaN }, 0])('%j is refused, naming the site', (margin) => {
    const error = errorOf(() => sites(margin));
    expect(error.message).toMatch(/^The margin of block_0/);
    expect(error.context.layer).toMatch(/^block_0/);
  });
});

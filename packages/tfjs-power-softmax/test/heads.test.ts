import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  assertIntervals,
  ClassificationHead,
  collectRanges,
  EncoderBlock,
  InvalidArgumentError,
  LanguageModelHead,
  MaskedMeanPooling,
  type MeanCount,
  TokenPooling,
  type TokenPosition,
  toPolynomial,
  UnsupportedLayerError,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const { x, mask } = paddedExamples(40, 3);
/** The same where the mask is one, noise elsewhere. */
const noisy = tf.add(x, tf.mul(tf.sub(1, tf.reshape(mask, [40, TOKENS, 1])), normal([40, TOKENS, FEATURES], 4)));
const rows = x.arraySync() as number[][][];
const lengths = rows.map((_, i) => 2 + (i % (TOKENS - 1)));

const predict = (of: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);
const run = (layer: tfl.layers.Layer, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(layer.apply(inputs) as tf.Tensor);

/** A model of one layer, on a sequence or on `[x, mask]`. */
function through(layer: tfl.layers.Layer, masked: boolean): tfl.LayersModel {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [TOKENS] })].slice(0, masked ? 2 : 1);
  return tfl.model({ inputs, outputs: layer.apply(masked ? inputs : inputs[0]!) as tfl.SymbolicTensor });
}

/** Sums over the first `length` rows, divided by `count(length)`. */
function means(count: (length: number) => number): number[] {
  return rows.flatMap((sequence, i) =>
    Array.from({ length: FEATURES }, (_, k) => sequence.slice(0, lengths[i]!).reduce((sum, row) => sum + row[k]!, 0) / count(lengths[i]!)),
  );
}

describe('MaskedMeanPooling', () => {
  test.each<[MeanCount, (length: number) => number]>([
    ['visible', (length) => length],
    ['tokens', () => TOKENS],
    [3, () => 3],
  ])('divides by the count %p, with a mask and by zero rows', (count, divisor) => {
    const expected = means(divisor);
    expect(largestDifference(run(new MaskedMeanPooling({ count }), [noisy, mask]), expected)).toBeLessThan(1e-6);
    expect(largestDifference(run(new MaskedMeanPooling({ count }), x), expected)).toBeLessThan(1e-6);
  });

  test('gives zeros where nothing is visible', () => {
    expect(run(new MaskedMeanPooling(), [noisy, tf.zerosLike(mask)])).toEqual(new Array(40 * FEATURES).fill(0));
  });

  test('has the gradient of a mean over visible tokens', () => {
    const layer = new MaskedMeanPooling();
    const gradient = tf.grad((input: tf.Tensor) => tf.sum(layer.apply(input) as tf.Tensor))(x);
    const expected = lengths.flatMap((length) =>
      Array.from({ length: TOKENS * FEATURES }, (_, i) => (i < length * FEATURES ? 1 / length : 0)),
    );
    const visible = valuesOf(tf.mul(gradient, tf.reshape(mask, [40, TOKENS, 1])));
    expect(largestDifference(visible, expected)).toBeLessThan(1e-6);
  });

  test.each([0, -1, Number.NaN, 'all' as 'tokens'])('rejects the count %p', (count) => {
    expect(() => new MaskedMeanPooling({ count })).toThrow(InvalidArgumentError);
  });
});

describe('TokenPooling', () => {
  test.each<[TokenPosition, (length: number) => number]>([
    ['first', () => 0],
    ['last', (length) => length - 1],
  ])('selects the %s visible token, or the one at that end without a mask', (position, index) => {
    const visible = rows.flatMap((sequence, i) => sequence[index(lengths[i]!)]!);
    expect(largestDifference(run(new TokenPooling({ position }), [noisy, mask]), visible)).toBeLessThan(1e-6);
    const atEnd = (noisy.arraySync() as number[][][]).flatMap((sequence) => sequence[index(TOKENS)]!);
    expect(run(new TokenPooling({ position }), noisy)).toEqual(atEnd);
  });

  test('finds the first visible token behind padding', () => {
    const shifted = tf.reverse(mask, 1);
    const expected = rows.flatMap((sequence, i) => sequence[TOKENS - lengths[i]!]!);
    expect(largestDifference(run(new TokenPooling(), [x, shifted]), expected)).toBeLessThan(1e-6);
  });

  test('rejects an unknown position', () => {
    expect(() => new TokenPooling({ position: 'middle' as TokenPosition })).toThrow(InvalidArgumentError);
  });
});

const LAYERS: readonly (readonly [string, boolean, () => tfl.layers.Layer])[] = [
  ['MaskedMeanPooling', true, () => new MaskedMeanPooling({ name: 'pool' })],
  ['MaskedMeanPooling over all tokens', false, () => new MaskedMeanPooling({ name: 'pool', count: 'tokens' })],
  ['TokenPooling', true, () => new TokenPooling({ name: 'pool', position: 'last' })],
  ['ClassificationHead', true, () => new ClassificationHead({ name: 'head', units: 3, norm: 'layer', normEpsilon: 0.2, seed: 1 })],
  ['ClassificationHead on the first token', false, () => new ClassificationHead({ name: 'head', units: 3, pooling: 'first', seed: 1 })],
  ['LanguageModelHead', false, () => new LanguageModelHead({ name: 'head', units: 11, norm: 'rms', normEpsilon: 0.2, seed: 1 })],
];

describe.each(LAYERS)('%s', (_, masked, make) => {
  const inputs = masked ? [noisy, mask] : x;

  test('predicts the same after saving and loading', async () => {
    const model = through(make(), masked);
    expect(predict(await roundTrip(model), inputs)).toEqual(predict(model, inputs));
  });

  test('has the output shape that it declares', () => {
    const model = through(make(), masked);
    const output = model.predictOnBatch(inputs) as tf.Tensor;
    expect(output.shape.slice(1)).toEqual((model.outputShape as number[]).slice(1));
  });

  test('has a polynomial form that equals it', async () => {
    const model = through(make(), masked);
    const polynomial = toPolynomial(model, { calibration: inputs, bits: 20 }).model;
    expect(largestDifference(predict(polynomial, inputs), predict(model, inputs))).toBeLessThan(1e-5);
    expect(predict(await roundTrip(polynomial), inputs)).toEqual(predict(polynomial, inputs));
  });
});

describe('heads', () => {
  test('classify like pooling followed by a normalisation and a projection', () => {
    const head = new ClassificationHead({ units: 3, norm: 'layer', normEpsilon: 0.3 });
    head.apply(x);
    const [gamma, beta] = [normal([FEATURES], 1), normal([FEATURES], 2)];
    head.setWeights([gamma, beta, normal([FEATURES, 3], 5), normal([3], 6)]);
    const pooled = tf.tensor(
      means((length) => length),
      [40, FEATURES],
    );
    const centred = tf.sub(pooled, tf.mean(pooled, 1, true));
    const scaled = tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), 1, true), 0.3)));
    const { kernel, bias } = head.logitsProjection();
    const expected = tf.add(tf.matMul(tf.add(tf.mul(scaled, gamma), beta), kernel), bias!);
    expect(largestDifference(run(head, x), valuesOf(expected))).toBeLessThan(1e-5);
  });

  test('report the inverse square root of their normalisation', () => {
    const head = new LanguageModelHead({ name: 'head', units: 5, norm: 'rms' });
    const { sites } = collectRanges(() => head.apply(x));
    expect(sites.map(({ name, function: kind, values }) => [name, kind, values.shape])).toEqual([
      ['head/norm/mean_square', 'rsqrt', [40, TOKENS, 1]],
    ]);
  });

  test('give logits for every token, or for the one that a pooling has selected', () => {
    const head = new LanguageModelHead({ units: 5, seed: 2 });
    const all = tf.reshape(tf.tensor1d(run(head, x)), [40, TOKENS, 5]);
    const last = head.apply(new TokenPooling({ position: 'last' }).apply(x) as tf.Tensor) as tf.Tensor;
    expect(largestDifference(valuesOf(last), valuesOf(tf.slice(all, [0, TOKENS - 1, 0], [-1, 1, -1])))).toBeLessThan(1e-6);
  });

  test('have no bias in a language model and one in a classifier, unless told otherwise', () => {
    const count = (head: tfl.layers.Layer) => {
      head.apply(x);
      return head.weights.length;
    };
    expect([new LanguageModelHead({ units: 5 }), new LanguageModelHead({ units: 5, useBias: true })].map(count)).toEqual([1, 2]);
    expect([new ClassificationHead({ units: 5 }), new ClassificationHead({ units: 5, useBias: false })].map(count)).toEqual([2, 1]);
  });

  test.each([
    ['no units', () => new LanguageModelHead({ units: 0 })],
    ['an unknown pooling', () => new ClassificationHead({ units: 2, pooling: 'max' as 'mean' })],
    ['an unknown norm', () => new ClassificationHead({ units: 2, norm: 'batch' as 'none' })],
    ['a negative epsilon', () => new LanguageModelHead({ units: 2, normEpsilon: -1 })],
  ])('reject %s', (_, make) => {
    expect(make).toThrow(InvalidArgumentError);
  });
});

test('the polynomial of a classifier keeps the parts of its head as layers', () => {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES], name: 'embedded' }), tfl.input({ shape: [TOKENS], name: 'mask' })];
  const encoded = new EncoderBlock({ ...BLOCK, normFirst: true }).apply(inputs) as tfl.SymbolicTensor;
  const head = new ClassificationHead({ name: 'intent', units: 3, norm: 'layer', normEpsilon: 0.3, seed: 2 });
  const model = tfl.model({ inputs, outputs: head.apply([encoded, inputs[1]!]) as tfl.SymbolicTensor });
  const { model: polynomial } = toPolynomial(model, { calibration: [noisy, mask], bits: 18 });
  expect(polynomial.layers.map(({ name }) => name).slice(-3)).toEqual(['intent/pool', 'intent/norm', 'intent/logits']);
  expect(largestDifference(predict(polynomial, [noisy, mask]), predict(model, [noisy, mask]))).toBeLessThan(1e-3);
  assertIntervals(polynomial, [noisy, mask]);
});

test.each([
  ['pooling', () => new MaskedMeanPooling({ name: 'mean_layer' })],
  ['a head', () => new ClassificationHead({ name: 'mean_layer', units: 2 })],
])('toPolynomial refuses %s that counts zero rows, naming it', (_, make) => {
  const convert = () => toPolynomial(through(make(), false), { calibration: x });
  expect(convert).toThrow(UnsupportedLayerError);
  expect(convert).toThrow(/mean_layer.*count: 'tokens'/);
});

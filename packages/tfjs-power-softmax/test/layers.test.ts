import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, InvalidArgumentError, LayerNorm, MultiHeadAttention, PowerSoftmax } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, powerSoftmaxRow, valuesOf } from './support/reference.js';

beforeAll(() => useBackend('cpu'));

function through(layer: tfl.layers.Layer): tfl.LayersModel {
  const x = tfl.input({ shape: [TOKENS, FEATURES] });
  return tfl.model({ inputs: x, outputs: layer.apply(x) as tfl.SymbolicTensor });
}

function predict(model: tfl.LayersModel, x: tf.Tensor | tf.Tensor[]): number[] {
  return valuesOf(model.predictOnBatch(x) as tf.Tensor);
}

describe.each([
  ['PowerSoftmax', () => new PowerSoftmax({ p: 6, axis: 1, epsilon: 0.2, form: 'mean' })],
  [
    'MultiHeadAttention with PowerSoftmax',
    () => new MultiHeadAttention({ numHeads: 2, keyDim: 3, p: 2, epsilon: 0.1, useBias: true, seed: 1 }),
  ],
  ['MultiHeadAttention with softmax', () => new MultiHeadAttention({ numHeads: 2, keyDim: 3, attention: 'softmax', seed: 1 })],
  ['causal MultiHeadAttention', () => new MultiHeadAttention({ numHeads: 2, keyDim: 3, causal: true, form: 'mean', seed: 1 })],
  [
    'causal MultiHeadAttention with sigma',
    () => new MultiHeadAttention({ numHeads: 2, keyDim: 3, attention: 'sigma', causal: true, seed: 1 }),
  ],
  ['LayerNorm', () => new LayerNorm({ epsilon: 0.5 })],
  ['EncoderBlock', () => new EncoderBlock({ ...BLOCK, dropout: 0.2 })],
])('%s', (_, make) => {
  test('is rebuilt from its configuration', () => {
    const layer = make();
    const layerClass = layer.constructor as tf.serialization.SerializableConstructor<tfl.layers.Layer>;
    expect(layerClass.fromConfig(layerClass, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  test('predicts the same after saving and loading without custom objects', async () => {
    const model = through(make());
    const x = normal([2, TOKENS, FEATURES], 5);
    expect(predict(await roundTrip(model), x)).toEqual(predict(model, x));
  });
});

test('PowerSoftmax normalises rows', () => {
  const x = normal([1, TOKENS, FEATURES], 9);
  const actual = predict(through(new PowerSoftmax({ epsilon: 0.01 })), x);
  const expected = (x.arraySync() as number[][][])[0]!.flatMap((row) => powerSoftmaxRow(row, 4, 0.01));
  expect(largestDifference(actual, expected)).toBeLessThan(1e-5);
});

test('attention is equivariant to the order of tokens', () => {
  const model = through(new MultiHeadAttention({ numHeads: 2, keyDim: 4, seed: 2 }));
  const x = normal([1, TOKENS, FEATURES], 4);
  const reversed = predict(model, tf.reverse(x, 1));
  expect(
    largestDifference(reversed, valuesOf(tf.reverse(tf.reshape(tf.tensor1d(predict(model, x)), [1, TOKENS, FEATURES]), 1))),
  ).toBeLessThan(1e-5);
});

test('PowerSoftmax attention ignores rows of zeros without a mask', () => {
  const { x, mask } = paddedExamples(5, 11);
  expect(largestDifference(predict(classifier(), x), predict(classifier({}, true), [x, mask]))).toBeLessThan(1e-6);
});

test.each(['power', 'softmax', 'sigma'] as const)('with a mask, %s attention does not read masked tokens', (attention) => {
  const model = through2(new MultiHeadAttention({ numHeads: 2, keyDim: 4, attention, useBias: true, seed: 3 }));
  const { x, mask } = paddedExamples(5, 12);
  const noise = tf.mul(tf.sub(1, tf.reshape(mask, [5, TOKENS, 1])), normal([5, TOKENS, FEATURES], 13));
  const keep = (y: number[]) => valuesOf(tf.mul(tf.reshape(tf.tensor1d(y), [5, TOKENS, FEATURES]), tf.reshape(mask, [5, TOKENS, 1])));
  expect(largestDifference(keep(predict(model, [tf.add(x, noise), mask])), keep(predict(model, [x, mask])))).toBeLessThan(1e-5);
});

function through2(layer: tfl.layers.Layer): tfl.LayersModel {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [TOKENS] })];
  return tfl.model({ inputs, outputs: layer.apply(inputs) as tfl.SymbolicTensor });
}

test('equal seeds give equal weights, and no two projections start out equal', () => {
  const kernels = (layer: MultiHeadAttention) => {
    layer.build([null, TOKENS, FEATURES]);
    const { query, key, value } = layer.attentionWeights();
    return [query, key, value].map(({ kernel }) => Array.from(kernel.dataSync()));
  };
  const [query, key, value] = kernels(new MultiHeadAttention({ numHeads: 2, keyDim: 4, seed: 3 }));
  expect(kernels(new MultiHeadAttention({ numHeads: 2, keyDim: 4, seed: 3 }))).toEqual([query, key, value]);
  expect(query).not.toEqual(key);
  expect(key).not.toEqual(value);
});

test('dropout repeats from a restored training step', () => {
  const block = new EncoderBlock({ ...BLOCK, dropout: 0.5 });
  const x = normal([2, TOKENS, FEATURES], 1);
  const step = () => valuesOf(block.apply(x, { training: true }) as tf.Tensor);
  const first = step();
  const second = step();
  block.trainingStep = 0;
  expect(step()).toEqual(first);
  expect(second).not.toEqual(first);
});

test.each([
  ['power', false],
  ['power', true],
  ['softmax', false],
  ['softmax', true],
  ['sigma', false],
  ['sigma', true],
] as const)('an encoder block with %s attention, causal %s, trains on the WASM backend', async (attention, causal) => {
  await useBackend('wasm');
  const model = classifier({ attention, causal });
  const { x } = paddedExamples(24, 21);
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: 24 }, (_, i) => i % 3),
      'int32',
    ),
    3,
  );
  const optimizer = tf.train.adam(0.02);
  const step = () =>
    optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, model.apply(x, { training: true }) as tf.Tensor), true)!.dataSync()[0]!;
  const first = step();
  for (let i = 0; i < 60; i++) step();
  expect(step()).toBeLessThan(first / 2);
  await useBackend('cpu');
});

test.each([
  ['no heads', () => new MultiHeadAttention({ numHeads: 0, keyDim: 4 })],
  ['odd p', () => new EncoderBlock({ ...BLOCK, p: 3 })],
  ['negative norm epsilon', () => new LayerNorm({ epsilon: -1 })],
  ['dropout of 1', () => new EncoderBlock({ ...BLOCK, dropout: 1 })],
])('rejects %s', (_, make) => {
  expect(make).toThrow(InvalidArgumentError);
});

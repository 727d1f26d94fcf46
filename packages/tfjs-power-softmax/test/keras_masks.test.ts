import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AttentionKind,
  ClassificationHead,
  DecoderBlock,
  EncoderBlock,
  InvalidArgumentError,
  LayerNorm,
  LearnedPositions,
  MultiHeadAttention,
  PowerSoftmax,
  replaceSoftmax,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, FEATURES, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

/** Token ids, 0 for padding. */
const ids = tf.tensor2d([
  [3, 1, 4, 1, 5, 2],
  [2, 5, 3, 0, 0, 0],
  [5, 0, 0, 0, 0, 0],
]);
const visible = tf.cast(tf.notEqual(ids, 0), 'float32');

const predict = (of: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);

/** Classifier of token ids, with the Keras mask of the embedding or the same mask as inputs. */
function classifier(attention: AttentionKind, implicit: boolean, normFirst = false): tfl.LayersModel {
  const tokens = tfl.input({ shape: [TOKENS] });
  const mask = tfl.input({ shape: [TOKENS] });
  const given = (x: tfl.SymbolicTensor): tfl.SymbolicTensor | tfl.SymbolicTensor[] => (implicit ? x : [x, mask]);
  const step = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor) => layer.apply(given(x)) as tfl.SymbolicTensor;
  const embeddingsInitializer = tfl.initializers.randomNormal({ seed: 1, stddev: 1, mean: 0 });
  const embedding = tfl.layers.embedding({ inputDim: 6, outputDim: FEATURES, maskZero: implicit, embeddingsInitializer });
  const embedded = embedding.apply(tokens) as tfl.SymbolicTensor;
  const placed = step(new LearnedPositions({ maxTokens: TOKENS, seed: 2 }), embedded);
  const settings = { ...BLOCK, attention, normFirst, useBias: true };
  const first = step(new EncoderBlock({ ...settings, name: 'first' }), placed);
  const second = step(new EncoderBlock({ ...settings, name: 'second', seed: 9 }), first);
  const normed = new LayerNorm({ name: 'last' }).apply(second) as tfl.SymbolicTensor;
  return tfl.model({
    inputs: implicit ? tokens : [tokens, mask],
    outputs: step(new ClassificationHead({ units: 3, seed: 3 }), normed),
  });
}

describe.each<[AttentionKind, boolean]>([
  ['power', false],
  ['power', true],
  ['softmax', false],
  ['sigma', false],
])('a Keras mask with %s attention, pre-norm %s', (attention, normFirst) => {
  test('goes through the model and does what a mask input does', () => {
    const [implicit, explicit] = [classifier(attention, true, normFirst), classifier(attention, false, normFirst)];
    explicit.setWeights(implicit.getWeights());
    expect(largestDifference(predict(implicit, ids), predict(explicit, [ids, visible]))).toBeLessThan(1e-6);
    expect(largestDifference(predict(implicit, ids), predict(explicit, [ids, tf.onesLike(visible)]))).toBeGreaterThan(1e-3);
  });
});

test('a masked model trains with fit, saves and loads', async () => {
  const model = classifier('power', true);
  model.compile({ optimizer: tf.train.adam(0.01), loss: (y, z) => tf.losses.softmaxCrossEntropy(y, z) });
  const { history } = await model.fit(ids, tf.oneHot(tf.tensor1d([0, 1, 2], 'int32'), 3), { epochs: 20, verbose: 0 });
  expect(history.loss!.at(-1)).toBeLessThan((history.loss![0] as number) / 2);
  expect(predict(await roundTrip(model), ids)).toEqual(predict(model, ids));
});

test('a masked model leaves no tensors behind', () => {
  const model = classifier('power', true);
  predict(model, ids);
  const before = tf.memory().numTensors;
  predict(model, ids);
  expect(tf.memory().numTensors).toBe(before);
});

test('replaceSoftmax keeps a masked model masked', () => {
  const { model } = replaceSoftmax(classifier('softmax', true), { epsilon: 0.2 });
  const explicit = replaceSoftmax(classifier('softmax', false), { epsilon: 0.2 }).model;
  explicit.setWeights(model.getWeights());
  expect(largestDifference(predict(model, ids), predict(explicit, [ids, visible]))).toBeLessThan(1e-6);
});

test('replaceSoftmax passes a mask on where an Activation did', () => {
  const x = tfl.input({ shape: [TOKENS, FEATURES] });
  const masked = tfl.layers.masking().apply(x) as tfl.SymbolicTensor;
  const weights = tfl.layers.activation({ activation: 'softmax', name: 'weights' }).apply(masked) as tfl.SymbolicTensor;
  const head = new ClassificationHead({ units: 2, seed: 1 });
  const model = tfl.model({ inputs: x, outputs: head.apply(weights) as tfl.SymbolicTensor });
  const replaced = replaceSoftmax(model).model;
  expect(replaced.getLayer('weights')).toBeInstanceOf(PowerSoftmax);
  const rows = tf.mul(normal([3, TOKENS, FEATURES], 5), tf.reshape(visible, [3, TOKENS, 1]));
  const pooled = tf.div(
    tf.sum(tf.mul(new PowerSoftmax().apply(rows) as tf.Tensor, tf.reshape(visible, [3, TOKENS, 1])), 1),
    tf.sum(visible, 1, true),
  );
  const [kernel, bias] = head.getWeights();
  expect(largestDifference(predict(replaced, rows), valuesOf(tf.add(tf.matMul(pooled, kernel!), bias!)))).toBeLessThan(1e-5);
});

describe('masks that tfjs does not pass right', () => {
  const x = tfl.input({ shape: [TOKENS, FEATURES] });
  const plain = tfl.input({ shape: [TOKENS, FEATURES] });
  const data = [normal([3, TOKENS, FEATURES], 6), normal([3, TOKENS, FEATURES], 7)];
  const masked = tfl.layers.masking().apply(x) as tfl.SymbolicTensor;

  test('of another branch are refused, naming the layer', () => {
    const encoded = new EncoderBlock({ ...BLOCK, name: 'masked_branch' }).apply(masked) as tfl.SymbolicTensor;
    const other = new MultiHeadAttention({ name: 'plain_branch', numHeads: 2, keyDim: 4 }).apply(plain) as tfl.SymbolicTensor;
    const sum = tfl.layers.concatenate().apply([other, encoded]) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: [x, plain], outputs: new LayerNorm().apply(sum) as tfl.SymbolicTensor });
    expect(() => model.predictOnBatch(data)).toThrow(InvalidArgumentError);
    expect(() => model.predictOnBatch(data)).toThrow(/plain_branch/);
  });

  test.each([
    ['a decoder block', () => new DecoderBlock({ ...BLOCK, name: 'reader' })],
    ['cross-attention', () => new MultiHeadAttention({ name: 'reader', numHeads: 2, keyDim: 4 })],
  ])('of the memory of %s are refused, naming it', (_, make) => {
    const memory = new LayerNorm().apply(masked) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: [x, plain], outputs: make().apply([plain, memory]) as tfl.SymbolicTensor });
    expect(() => model.predictOnBatch(data)).toThrow(InvalidArgumentError);
    expect(() => model.predictOnBatch(data)).toThrow(/reader.*third input/);
  });
});

test('a decoder block goes by the Keras mask of its own sequence', () => {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [4, 5] })];
  // Padding before the tokens, which causal attention alone would see.
  const rows = tf.concat([tf.zeros([2, 2, FEATURES]), normal([2, TOKENS - 2, FEATURES], 8)], 1);
  const memory = normal([2, 4, 5], 9);
  const decoder = new DecoderBlock({ ...BLOCK, useBias: true });
  const marked = tfl.layers.masking().apply(inputs[0]!) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs, outputs: decoder.apply([marked, inputs[1]!]) as tfl.SymbolicTensor });
  decoder.setWeights(decoder.getWeights().map((w, i) => tf.add(w, normal(w.shape, i + 1, 0.2))));
  const alone = valuesOf(decoder.apply([rows, memory]) as tf.Tensor);
  expect(largestDifference(predict(model, [rows, memory]), alone)).toBeGreaterThan(1e-4);
});

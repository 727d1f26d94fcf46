import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  ClassificationHead,
  DecoderBlock,
  EncoderBlock,
  InvalidArgumentError,
  MultiHeadAttention,
  PowerSoftmax,
  replaceSoftmax,
  UnsupportedLayerError,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

beforeAll(() => useBackend('cpu'));

type Symbolic = tfl.SymbolicTensor;

function predict(model: tfl.LayersModel, x: tf.Tensor | tf.Tensor[]): number[] {
  return valuesOf(model.predictOnBatch(x) as tf.Tensor);
}

/** Attention written with stock layers: normaliser(x W_q (x W_k)^T) x W_v, pooled, and class probabilities at the end. */
function stockAttention(normaliser: tfl.layers.Layer): tfl.LayersModel {
  const x = tfl.input({ shape: [TOKENS, FEATURES], name: 'x' });
  const project = (name: string, seed: number) =>
    tfl.layers.dense({ name, units: 4, kernelInitializer: tfl.initializers.glorotUniform({ seed }) }).apply(x) as Symbolic;
  const scores = tfl.layers.dot({ axes: -1, name: 'scores' }).apply([project('query', 1), project('key', 2)]) as Symbolic;
  const weights = normaliser.apply(scores) as Symbolic;
  const attended = tfl.layers.dot({ axes: [2, 1], name: 'attended' }).apply([weights, project('value', 3)]) as Symbolic;
  const pooled = tfl.layers.globalAveragePooling1d({ name: 'pool' }).apply(attended) as Symbolic;
  const probabilities = tfl.layers
    .dense({ name: 'classes', units: 3, activation: 'softmax', kernelInitializer: tfl.initializers.glorotUniform({ seed: 4 }) })
    .apply(pooled) as Symbolic;
  return tfl.model({ inputs: x, outputs: probabilities, name: 'stock' });
}

test.each([false, true])('an encoder block becomes the model built with PowerSoftmax (mask: %s)', (masked) => {
  const settings = { p: 6, epsilon: 0.25 };
  const { model, report } = replaceSoftmax(classifier({ attention: 'softmax' }, masked), settings);
  const { x, mask } = paddedExamples(5, 3);
  const inputs = masked ? [x, mask] : x;
  expect(predict(model, inputs)).toEqual(predict(classifier(settings, masked), inputs));
  expect(report).toEqual({ replaced: [{ layer: 'block_0', kind: 'EncoderBlock', ...settings }], kept: [], warnings: [] });
});

test('attention layers keep the p and epsilon of their configuration, and replacing leaves the original alone', () => {
  const twin = classifier({ attention: 'softmax', p: 8 });
  const { x } = paddedExamples(4, 1);
  const before = predict(twin, x);
  const { model, report } = replaceSoftmax(twin);
  expect(report.replaced).toEqual([{ layer: 'block_0', kind: 'EncoderBlock', p: 8, epsilon: BLOCK.epsilon }]);
  expect(predict(model, x)).not.toEqual(before);
  expect(predict(twin, x)).toEqual(before);
});

test('trained weights and their trainable flags are carried over as copies', () => {
  const twin = classifier({ attention: 'softmax', trainable: false });
  twin.setWeights(twin.getWeights().map((weight, i) => normal(weight.shape, i)));
  const { model } = replaceSoftmax(twin);
  expect(model.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(
    twin.getWeights().map((weight) => Array.from(weight.dataSync())),
  );
  expect(model.getLayer('block_0').trainable).toBe(false);
  model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight)));
  expect(twin.getWeights()[0]!.dataSync()[0]).not.toBe(0);
});

describe.each([
  ['Softmax', () => tfl.layers.softmax({ name: 'weights', axis: -1 })],
  ['Activation', () => tfl.layers.activation({ name: 'weights', activation: 'softmax' })],
])('a stock %s layer inside of a graph', (kind, make) => {
  test('becomes PowerSoftmax, and the output classifier stays', () => {
    const { model, report } = replaceSoftmax(stockAttention(make()), { epsilon: 0.1 });
    const x = normal([3, TOKENS, FEATURES], 8);
    expect(predict(model, x)).toEqual(predict(stockAttention(new PowerSoftmax({ name: 'weights', epsilon: 0.1 })), x));
    expect(report).toEqual({ replaced: [{ layer: 'weights', kind, p: 4, epsilon: 0.1 }], kept: ['classes'], warnings: [] });
  });

  test('gives a model that is saved and loaded without custom objects', async () => {
    const { model } = replaceSoftmax(stockAttention(make()));
    const x = normal([2, TOKENS, FEATURES], 9);
    expect(predict(await roundTrip(model), x)).toEqual(predict(model, x));
  });
});

test('the softmax of a hidden Dense is moved to a layer of its own, in a Sequential model too', () => {
  const gate = (activation: 'softmax' | 'linear') =>
    tfl.layers.dense({
      name: 'gate',
      units: 5,
      activation,
      inputShape: [4],
      kernelInitializer: tfl.initializers.glorotUniform({ seed: 1 }),
    });
  const classes = () => tfl.layers.dense({ name: 'classes', units: 2, kernelInitializer: tfl.initializers.glorotUniform({ seed: 2 }) });
  const { model, report } = replaceSoftmax(
    tfl.sequential({ layers: [gate('softmax'), classes(), tfl.layers.softmax({ name: 'probabilities' })] }),
    { p: 2 },
  );
  expect(model).toBeInstanceOf(tfl.Sequential);
  expect(report).toEqual({ replaced: [{ layer: 'gate', kind: 'Dense', p: 2, epsilon: 1e-3 }], kept: ['probabilities'], warnings: [] });
  const expected = tfl.sequential({
    layers: [gate('linear'), new PowerSoftmax({ p: 2, epsilon: 1e-3 }), classes(), tfl.layers.softmax()],
  });
  const x = normal([3, 4], 2);
  expect(largestDifference(predict(model, x), predict(expected, x))).toBe(0);
});

test('a classifier behind a reshape stays; attention that ends a model does not', () => {
  const x = tfl.input({ shape: [TOKENS, FEATURES] });
  const attended = new MultiHeadAttention({ name: 'attention', numHeads: 2, keyDim: 2, attention: 'softmax', seed: 1 }).apply(
    x,
  ) as Symbolic;
  const probabilities = tfl.layers.softmax({ name: 'probabilities', axis: -1 }).apply(attended) as Symbolic;
  const flat = tfl.layers.flatten().apply(probabilities) as Symbolic;
  const { report } = replaceSoftmax(tfl.model({ inputs: x, outputs: [flat, attended] }));
  expect(report.replaced.map(({ layer }) => layer)).toEqual(['attention']);
  expect(report.kept).toEqual(['probabilities']);
});

test('attention weights that are also an output are attention, not a classifier', () => {
  const source = stockAttention(tfl.layers.softmax({ name: 'weights', axis: -1 }));
  const model = tfl.model({
    inputs: source.inputs,
    outputs: [...source.outputs, source.getLayer('weights').output as Symbolic],
  });
  expect(replaceSoftmax(model).report).toMatchObject({ replaced: [{ layer: 'weights' }], kept: ['classes'] });
});

test('layers used twice stay shared, and nested models are searched', () => {
  const encoder = tfl.sequential({
    name: 'encoder',
    layers: [new EncoderBlock({ ...BLOCK, attention: 'softmax', inputShape: [TOKENS, FEATURES] } as typeof BLOCK)],
  });
  const inputs = [0, 1].map(() => tfl.input({ shape: [TOKENS, FEATURES] }));
  const encoded = inputs.map((x) => encoder.apply(x) as Symbolic);
  const { model, report } = replaceSoftmax(tfl.model({ inputs, outputs: tfl.layers.add().apply(encoded) as Symbolic }));
  expect(report.replaced.map(({ layer }) => layer)).toEqual(['encoder/block_0']);
  expect(model.weights).toHaveLength(encoder.weights.length);
  const [a, b] = [normal([2, TOKENS, FEATURES], 1), normal([2, TOKENS, FEATURES], 2)];
  const block = new EncoderBlock(BLOCK);
  const expected = tf.add(block.apply(a) as tf.Tensor, block.apply(b) as tf.Tensor);
  expect(largestDifference(predict(model, [a, b]), valuesOf(expected))).toBeLessThan(1e-6);
});

test('blocks that read a memory, pre-norm blocks and heads keep everything but the softmax', () => {
  const build = (attention: 'softmax' | 'power'): tfl.LayersModel => {
    const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [4, 5] })];
    const settings = { ...BLOCK, attention, normFirst: true, norm: 'rms' as const };
    const read = new DecoderBlock({ ...settings, name: 'reader' }).apply(inputs) as Symbolic;
    const encoded = new EncoderBlock({ ...settings, name: 'encoder', causal: true, rotary: true }).apply(read) as Symbolic;
    const head = new ClassificationHead({ name: 'head', units: 3, pooling: 'last', norm: 'layer', seed: 4 });
    return tfl.model({ inputs, outputs: head.apply(encoded) as Symbolic });
  };
  const { model, report } = replaceSoftmax(build('softmax'));
  const inputs = [normal([3, TOKENS, FEATURES], 5), normal([3, 4, 5], 6)];
  expect(predict(model, inputs)).toEqual(predict(build('power'), inputs));
  expect(report.replaced.map(({ layer, kind }) => [layer, kind])).toEqual([
    ['reader', 'DecoderBlock'],
    ['encoder', 'EncoderBlock'],
  ]);
});

test('a sum in front of a replaced softmax is pointed out', () => {
  const [scores, offset] = [tfl.input({ shape: [4, 4] }), tfl.input({ shape: [4, 4] })];
  const masked = tfl.layers.add({ name: 'mask' }).apply([scores, offset]) as Symbolic;
  const weights = tfl.layers.softmax({ name: 'weights', axis: -1 }).apply(masked) as Symbolic;
  const { report } = replaceSoftmax(
    tfl.model({ inputs: [scores, offset], outputs: tfl.layers.globalAveragePooling1d().apply(weights) as Symbolic }),
  );
  expect(report.warnings).toHaveLength(1);
  expect(report.warnings[0]).toContain('weights come from the sum mask');
});

test('a model with nothing to replace is refused, and leaves no tensors', () => {
  const model = tfl.sequential({ layers: [tfl.layers.dense({ name: 'classes', units: 2, activation: 'softmax', inputShape: [3] })] });
  const before = tf.memory().numTensors;
  expect(() => replaceSoftmax(model)).toThrow(InvalidArgumentError);
  expect(() => replaceSoftmax(model)).toThrow(/classes makes the output/);
  expect(tf.memory().numTensors).toBe(before);
});

function behind(layer: tfl.layers.Layer): tfl.LayersModel {
  const x = tfl.input({ shape: [TOKENS, FEATURES] });
  return tfl.model({
    inputs: x,
    outputs: tfl.layers
      .flatten()
      .apply(
        tfl.layers.dense({ units: 2 }).apply(layer.apply(tfl.layers.dense({ units: 3 }).apply(x)) as Symbolic) as Symbolic,
      ) as Symbolic,
  });
}

test.each([
  ['several axes', () => tfl.layers.softmax({ name: 'culprit', axis: [1, 2] as unknown as number })],
  ['a wrapper', () => tfl.layers.timeDistributed({ name: 'culprit', layer: tfl.layers.dense({ units: 2, activation: 'softmax' }) })],
  [
    'a recurrent layer',
    () =>
      tfl.layers.simpleRNN({
        name: 'culprit',
        units: 2,
        activation: 'softmax',
        recurrentInitializer: 'glorotUniform',
        returnSequences: true,
      }),
  ],
])('softmax in %s is refused by name', (_, make) => {
  const model = behind(make());
  const before = tf.memory().numTensors;
  expect(() => replaceSoftmax(model)).toThrow(UnsupportedLayerError);
  expect(() => replaceSoftmax(model)).toThrow(/culprit/);
  expect(tf.memory().numTensors).toBe(before);
});

test.each([{ p: 3 }, { epsilon: -1 }])('%j is refused', (options) => {
  expect(() => replaceSoftmax(classifier({ attention: 'softmax' }), options)).toThrow(InvalidArgumentError);
});

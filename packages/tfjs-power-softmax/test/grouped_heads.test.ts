import { beforeAll, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError, MultiHeadAttention, type MultiHeadAttentionArgs, toPolynomial } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

beforeAll(() => useBackend('wasm'));

const ARGS: MultiHeadAttentionArgs = { numHeads: 4, keyValueHeads: 2, keyDim: 3, epsilon: 0.3, useBias: true, seed: 6 };

function model(args: Partial<MultiHeadAttentionArgs> = {}): tfl.LayersModel {
  const x = tfl.input({ shape: [TOKENS, FEATURES] });
  const layer = new MultiHeadAttention({ ...ARGS, ...args });
  const output = layer.apply(x) as tfl.SymbolicTensor;
  // Biases start at zero, where they would hide mistakes.
  layer.setWeights(layer.getWeights().map((weight, i) => tf.add(weight, normal(weight.shape, i + 1, 0.1))));
  return tfl.model({ inputs: x, outputs: output });
}

const predict = (of: tfl.LayersModel, x: tf.Tensor) => valuesOf(of.predictOnBatch(x) as tf.Tensor);

test('key and value projections are as wide as their heads', () => {
  const shapes = model()
    .getWeights()
    .map(({ shape }) => shape);
  expect(shapes).toEqual([[FEATURES, 12], [12], [FEATURES, 6], [6], [FEATURES, 6], [6], [12, FEATURES], [FEATURES]]);
});

test.each([{}, { causal: true, rotary: true, keyDim: 4 }, { attention: 'softmax', keyValueHeads: 1 }] as const)(
  'heads of a group share keys and values: as many heads with repeated weights do the same (%j)',
  (args) => {
    const grouped = model(args);
    const { keyDim, keyValueHeads } = (grouped.layers[1] as MultiHeadAttention).config;
    const full = model({ ...args, keyValueHeads: 4 });
    const repeated = (weight: tf.Tensor) => {
      const heads = tf.split(weight, keyValueHeads, -1);
      return tf.concat(
        heads.flatMap((head) => Array.from({ length: 4 / keyValueHeads }, () => head)),
        -1,
      );
    };
    expect(heads(grouped)).toBe(keyDim * keyValueHeads);
    full.setWeights(grouped.getWeights().map((weight, i) => (i >= 2 && i < 6 ? repeated(weight) : weight)));
    const x = normal([3, TOKENS, FEATURES], 8);
    expect(largestDifference(predict(grouped, x), predict(full, x))).toBeLessThan(1e-6);
  },
);

/** Width of the key projection. */
function heads(of: tfl.LayersModel): number {
  return of.getWeights()[2]!.shape[1]!;
}

test('the polynomial of grouped heads approaches the layer', () => {
  const x = normal([60, TOKENS, FEATURES], 9, 0.5);
  const grouped = model();
  expect(largestDifference(predict(toPolynomial(grouped, { calibration: x, bits: 16 }).model, x), predict(grouped, x))).toBeLessThan(
    2 ** -12,
  );
});

test('grouped rotary heads predict the same after saving and loading', async () => {
  const x = normal([2, TOKENS, FEATURES], 5);
  const grouped = model({ rotary: true, keyDim: 2 });
  expect(predict(await roundTrip(grouped), x)).toEqual(predict(grouped, x));
});

test('a block with grouped rotary heads trains', () => {
  const { x } = paddedExamples(24, 21);
  const block = classifier({ numHeads: 2, keyValueHeads: 1, rotary: true });
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: 24 }, (_, i) => i % 3),
      'int32',
    ),
    3,
  );
  const optimizer = tf.train.adam(0.02);
  const step = () => optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, block.apply(x) as tf.Tensor), true)!.dataSync()[0]!;
  const first = step();
  for (let i = 0; i < 60; i++) step();
  expect(step()).toBeLessThan(first / 2);
});

test.each([
  ['groups of unequal size', { keyValueHeads: 3 }],
  ['no key heads', { keyValueHeads: 0 }],
  ['rotary heads of odd size', { rotary: true }],
  ['more rotary features than a head has', { rotary: true, rotaryDim: 4 }],
  ['a rotary base below 1', { rotaryBase: 0.5 }],
])('rejects %s', (_, args) => {
  expect(() => new MultiHeadAttention({ ...ARGS, ...args })).toThrow(InvalidArgumentError);
});

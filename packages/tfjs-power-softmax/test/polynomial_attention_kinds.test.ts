import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  assertIntervals,
  DecoderBlock,
  type DecoderBlockArgs,
  EncoderBlock,
  type EncoderBlockArgs,
  MultiHeadAttention,
  polynomialReport,
  toPolynomial,
  UnsupportedLayerError,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const COUNT = 60;
const [KEYS, MEMORY_FEATURES] = [4, 5];
const x = normal([COUNT, TOKENS, FEATURES], 31, 0.7);
const memory = normal([COUNT, KEYS, MEMORY_FEATURES], 32, 0.7);
/** Memories of 1 to 4 rows. */
const memoryMask = tf.tensor2d(Array.from({ length: COUNT }, (_, i) => Array.from({ length: KEYS }, (_, t) => (t <= i % KEYS ? 1 : 0))));

const predict = (of: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);

/** Converts a model and expects a faithful polynomial, also after saving and loading, whose inputs stay in their intervals. */
async function expectPolynomial(model: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[], tolerance = 1e-4): Promise<tfl.LayersModel> {
  const polynomial = toPolynomial(model, { calibration: inputs, bits: 18, margin: 1.2 }).model;
  expect(largestDifference(predict(polynomial, inputs), predict(model, inputs))).toBeLessThan(tolerance);
  expect(predict(await roundTrip(polynomial), inputs)).toEqual(predict(polynomial, inputs));
  assertIntervals(polynomial, inputs);
  return polynomial;
}

/** Biases start at zero, where they would hide mistakes. */
function withBiases(model: tfl.LayersModel): tfl.LayersModel {
  model.setWeights(model.getWeights().map((w, i) => tf.add(w, normal(w.shape, i + 1, 0.1))));
  return model;
}

/** A model of one layer that reads a memory, masked or not. */
function reader(layer: tfl.layers.Layer, masked: boolean): tfl.LayersModel {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [KEYS, MEMORY_FEATURES] }), tfl.input({ shape: [KEYS] })];
  const used = inputs.slice(0, masked ? 3 : 2);
  return withBiases(tfl.model({ inputs: used, outputs: layer.apply(used) as tfl.SymbolicTensor }));
}

describe.each<Partial<EncoderBlockArgs>>([{}, { causal: true, rotary: true }, { useBias: true, keyValueHeads: 1, normFirst: true }])(
  'sigma attention with %j',
  (args) => {
    test('has a polynomial that approaches it', async () => {
      const polynomial = await expectPolynomial(withBiases(classifier({ ...args, attention: 'sigma' })), x);
      expect(polynomialReport(polynomial).sites.find(({ site }) => site === 'block_0/attention/scores')).toMatchObject({
        function: 'gelu',
      });
    });

    test('has a polynomial that takes its mask', async () => {
      const { mask } = paddedExamples(COUNT, 3);
      await expectPolynomial(withBiases(classifier({ ...args, attention: 'sigma' }, true)), [x, mask]);
    });
  },
);

test('the polynomial of a sigma block has no reciprocal, and only linear ops and products', async () => {
  const { model } = toPolynomial(classifier({ attention: 'sigma' }), { calibration: x });
  expect(polynomialReport(model).sites.map((site) => site.function)).toEqual(['gelu', 'rsqrt', 'gelu', 'rsqrt']);
  const two = tf.slice(x, 0, 2);
  const { kernelNames } = await tf.profile(() => model.apply(two) as tf.Tensor);
  const used = new Set(kernelNames.filter((name) => tf.getKernel(name, 'wasm') !== undefined));
  for (const kernel of used) {
    expect('Add BatchMatMul Concat Identity Mean Multiply Reshape Square Sub Sum Transpose _FusedMatMul'.split(' ')).toContain(kernel);
  }
});

describe.each(['power', 'sigma'] as const)('cross-attention with %s', (attention) => {
  const make = () =>
    new MultiHeadAttention({ name: 'cross', numHeads: 2, keyValueHeads: 1, keyDim: 4, attention, epsilon: 0.3, useBias: true, seed: 3 });

  test('has a polynomial that approaches it', () => expectPolynomial(reader(make(), false), [x, memory]));

  test('has a polynomial that takes the mask of the memory', () => expectPolynomial(reader(make(), true), [x, memory, memoryMask]));
});

describe.each<Partial<DecoderBlockArgs>>([
  {},
  { normFirst: true, norm: 'rms', activation: 'swiglu', rotary: true, keyValueHeads: 1 },
  { attention: 'sigma' },
])('a decoder block with %j', (args) => {
  const make = () => new DecoderBlock({ ...BLOCK, name: 'decoder', ...args });

  test('has a polynomial that approaches it', () => expectPolynomial(reader(make(), false), [x, memory], 1e-3));

  test('has a polynomial that takes the mask of the memory', () => expectPolynomial(reader(make(), true), [x, memory, memoryMask], 1e-3));
});

test('an encoder and a decoder convert together, with readable layers', async () => {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES], name: 'target' }), tfl.input({ shape: [KEYS, MEMORY_FEATURES], name: 'source' })];
  const encoded = new EncoderBlock({ ...BLOCK, name: 'encoder' }).apply(inputs[1]!) as tfl.SymbolicTensor;
  const decoded = new DecoderBlock({ ...BLOCK, name: 'decoder' }).apply([inputs[0]!, encoded]) as tfl.SymbolicTensor;
  const polynomial = await expectPolynomial(tfl.model({ inputs, outputs: decoded }), [x, memory], 1e-3);
  expect(polynomial.layers.map(({ name }) => name).filter((name) => name.startsWith('decoder'))).toEqual([
    'decoder/attention',
    'decoder/attention_norm',
    'decoder/cross_attention',
    'decoder/cross_attention_norm',
    'decoder/feed_forward',
    'decoder/feed_forward_norm',
  ]);
});

test('toPolynomial refuses softmax attention to a memory, naming the layer', () => {
  const model = reader(new DecoderBlock({ ...BLOCK, name: 'soft_decoder', attention: 'softmax' }), false);
  const convert = () => toPolynomial(model, { calibration: [x, memory] });
  expect(convert).toThrow(UnsupportedLayerError);
  expect(convert).toThrow(/soft_decoder/);
});

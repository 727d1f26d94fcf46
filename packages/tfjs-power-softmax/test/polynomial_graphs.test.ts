import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  assertIntervals,
  collectRanges,
  EncoderBlock,
  InvalidArgumentError,
  LayerNorm,
  PolynomialPowerSoftmax,
  PowerSoftmax,
  type PowerSoftmaxArgs,
  polynomialReport,
  replaceSoftmax,
  toPolynomial,
  UnsupportedLayerError,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, FEATURES, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

type Symbolic = tfl.SymbolicTensor;

const x = normal([80, TOKENS, FEATURES], 31, 0.7);
const predict = (of: tfl.LayersModel, inputs: tf.Tensor) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);
const dense = (name: string, units: number, seed: number) =>
  tfl.layers.dense({ name, units, kernelInitializer: tfl.initializers.glorotUniform({ seed }) });

/** Converts a model and expects a faithful polynomial, also after saving and loading, whose inputs stay in their intervals. */
async function expectPolynomial(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  const polynomial = toPolynomial(model, { calibration: x, bits: 16 }).model;
  expect(largestDifference(predict(polynomial, x), predict(model, x))).toBeLessThan(1e-3);
  expect(predict(await roundTrip(polynomial), x)).toEqual(predict(polynomial, x));
  assertIntervals(polynomial, x);
  return polynomial;
}

/** Attention of stock layers with a bare softmax, scaled scores and a gate. */
function stockAttention(): tfl.LayersModel {
  const input = tfl.input({ shape: [TOKENS, FEATURES], name: 'x' });
  const project = (name: string, seed: number) => dense(name, 4, seed).apply(input) as Symbolic;
  const scores = tfl.layers.dot({ axes: -1, name: 'scores' }).apply([project('query', 1), project('key', 2)]) as Symbolic;
  const scaled = tfl.layers.rescaling({ scale: 0.5, offset: 0 }).apply(scores) as Symbolic;
  const weights = tfl.layers.softmax({ name: 'weights', axis: -1 }).apply(scaled) as Symbolic;
  const attended = tfl.layers.dot({ axes: [2, 1], name: 'attended' }).apply([weights, project('value', 3)]) as Symbolic;
  const gated = tfl.layers.multiply({ name: 'gated' }).apply([attended, project('gate', 4)]) as Symbolic;
  const normed = new LayerNorm({ name: 'norm', epsilon: 0.2 }).apply(gated) as Symbolic;
  return tfl.model({ inputs: input, outputs: tfl.layers.flatten().apply(normed) as Symbolic });
}

describe('stock attention whose softmax was replaced', () => {
  const { model } = replaceSoftmax(stockAttention(), { p: 4, epsilon: 0.2 });

  test('reports its denominators for range losses and monitors', () => {
    const { sites } = collectRanges(() => model.predictOnBatch(x));
    expect(sites.map(({ name, function: kind, floor, values }) => [name, kind, floor, values.shape])).toEqual([
      ['weights/denominator', 'reciprocal', 0.2, [80, TOKENS, 1]],
      ['norm/variance', 'rsqrt', 0.2, [80, TOKENS, 1]],
    ]);
  });

  test('has a polynomial that approaches it', async () => {
    const polynomial = await expectPolynomial(model);
    expect(polynomial.getLayer('weights')).toBeInstanceOf(PolynomialPowerSoftmax);
    expect(polynomialReport(polynomial).sites.map(({ site }) => site)).toEqual(['weights/denominator', 'norm/variance']);
  });

  test('has a polynomial of linear ops and products', async () => {
    const { model: polynomial } = toPolynomial(model, { calibration: x });
    const two = tf.slice(x, 0, 2);
    const { kernelNames } = await tf.profile(() => polynomial.apply(two) as tf.Tensor);
    for (const kernel of kernelNames.filter((name) => tf.getKernel(name, 'wasm') !== undefined)) {
      expect('Add BatchMatMul Identity Mean Multiply Reshape Square Sub Sum Transpose _FusedMatMul'.split(' ')).toContain(kernel);
    }
  });
});

test.each<PowerSoftmaxArgs>([
  { axis: 1, p: 2 },
  { axis: -1, p: 6 },
])('a layer of PowerSoftmax with %j has a polynomial', (args) => {
  const layer = new PowerSoftmax({ name: 'weights', epsilon: 0.4, ...args });
  const input = tfl.input({ shape: [TOKENS, FEATURES] });
  return expectPolynomial(tfl.model({ inputs: input, outputs: layer.apply(input) as Symbolic })).then(() => undefined);
});

test('a layer of PowerSoftmax refuses an axis that its input does not have, naming itself', () => {
  const layer = new PowerSoftmax({ name: 'weights', axis: 3 });
  expect(() => layer.apply(tfl.input({ shape: [TOKENS, FEATURES] }))).toThrow(InvalidArgumentError);
  expect(() => new PowerSoftmax({ name: 'weights', axis: 0.5 }).apply(x)).toThrow(/weights: axis 0.5/);
});

describe('nested models', () => {
  const block = (name: string) => new EncoderBlock({ ...BLOCK, name });
  const nest = (...names: string[]): tfl.LayersModel[] =>
    names.map((name, i) => {
      const input = tfl.input({ shape: [TOKENS, FEATURES] });
      return tfl.model({ inputs: input, outputs: block(name).apply(input) as Symbolic, name: `stage_${i}` });
    });
  const chain = (models: tfl.LayersModel[]): tfl.LayersModel => {
    const input = tfl.input({ shape: [TOKENS, FEATURES] });
    return tfl.model({ inputs: input, outputs: models.reduce((tensor, model) => model.apply(tensor) as Symbolic, input) });
  };

  test('become part of the polynomial', async () => {
    const head = tfl.sequential({ name: 'head', layers: [tfl.layers.flatten({ inputShape: [TOKENS, FEATURES] }), dense('logits', 3, 5)] });
    const polynomial = await expectPolynomial(chain([...nest('first', 'second'), head]));
    const names = polynomial.layers.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['first/attention', 'second/feed_forward_norm', 'logits']));
    expect(polynomial.layers.some((layer) => layer instanceof tfl.LayersModel)).toBe(false);
  });

  test('with layers of one name are refused, by that name', () => {
    const convert = () => toPolynomial(chain(nest('same', 'same')), { calibration: x });
    expect(convert).toThrow(UnsupportedLayerError);
    expect(convert).toThrow(/called same/);
  });

  test('of a polynomial are refused, as there is nothing left to convert', () => {
    const { model } = toPolynomial(chain(nest('first')), { calibration: x });
    expect(() => toPolynomial(model, { calibration: x })).toThrow(UnsupportedLayerError);
    expect(() => toPolynomial(model, { calibration: x })).toThrow(/first\/attention is a polynomial already/);
  });

  test('with a layer that is no polynomial are refused, by its name', () => {
    const inner = tfl.sequential({ name: 'inner', layers: [tfl.layers.reLU({ name: 'rectifier', inputShape: [TOKENS, FEATURES] })] });
    expect(() => toPolynomial(chain([inner]), { calibration: x })).toThrow(/rectifier/);
  });
});

test('layers of images and batch statistics are linear when a model is used, and copied', async () => {
  const input = tfl.input({ shape: [TOKENS, FEATURES] });
  const convolved = tfl.layers.conv1d({ filters: 5, kernelSize: 3, padding: 'same' }).apply(input) as Symbolic;
  const statistics = tfl.layers.batchNormalization({ name: 'statistics' });
  const noisy = tfl.layers.gaussianNoise({ stddev: 1 }).apply(statistics.apply(convolved)) as Symbolic;
  const image = tfl.layers.reshape({ targetShape: [TOKENS, 5, 1] }).apply(noisy) as Symbolic;
  const patches = tfl.layers.conv2d({ filters: 2, kernelSize: 2 }).apply(image) as Symbolic;
  const pooled = tfl.layers
    .globalAveragePooling2d({ dataFormat: 'channelsLast' })
    .apply(tfl.layers.averagePooling2d({}).apply(patches)) as Symbolic;
  const norm = new LayerNorm({ epsilon: 0.3 });
  const model = tfl.model({ inputs: input, outputs: norm.apply(pooled) as Symbolic });
  statistics.setWeights([normal([5], 1), normal([5], 2), normal([5], 3), tf.abs(normal([5], 4))]);
  norm.setWeights([normal([2], 5), normal([2], 6)]);
  await expectPolynomial(model);
});

test.each([
  ['Embedding', () => tfl.layers.embedding({ name: 'lookup', inputDim: 4, outputDim: 3 }), [5], /lookup .*client/],
  ['Masking', () => tfl.layers.masking({ name: 'marks' }), [TOKENS, FEATURES], /marks .*\[x, mask\]/],
] as const)('%s, which the client does, is refused with what to do instead', (_, make, shape, message) => {
  const input = tfl.input({ shape: [...shape] });
  const model = tfl.model({ inputs: input, outputs: make().apply(input) as Symbolic });
  expect(() => toPolynomial(model, { calibration: tf.zeros([2, ...shape]) })).toThrow(message);
});

test('a cosine similarity, which divides by lengths, is refused by name', () => {
  const input = tfl.input({ shape: [TOKENS, FEATURES] });
  const similarity = tfl.layers.dot({ axes: 2, normalize: true, name: 'cosine' } as Parameters<typeof tfl.layers.dot>[0]);
  const model = tfl.model({ inputs: input, outputs: similarity.apply([input, input]) as Symbolic });
  expect(() => toPolynomial(model, { calibration: x })).toThrow(UnsupportedLayerError);
  expect(() => toPolynomial(model, { calibration: x })).toThrow(/cosine/);
});

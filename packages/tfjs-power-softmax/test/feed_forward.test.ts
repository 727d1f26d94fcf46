import { beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type ActivationKind,
  approximate,
  approximationErrors,
  checkIntervals,
  collectRanges,
  FeedForward,
  InvalidArgumentError,
  polynomialReport,
  quadratic,
  rangeLoss,
  silu,
  toPolynomial,
} from '../src/index.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, numericalGradient, valuesOf } from './support/reference.js';

const KINDS: readonly ActivationKind[] = ['gelu', 'quadratic', 'swiglu'];
const POINTS = [-3, -1, -0.2, 0, 0.7, 2.5];

describe.each(BACKENDS)('activations on %s', (backend) => {
  beforeEach(() => useBackend(backend));

  test.each([
    ['silu', silu, (x: number) => x / (1 + Math.exp(-x))],
    ['quadratic', quadratic, (x: number) => x ** 2 / 8 + x / 4 + 1 / 2],
  ] as const)('%s has its values and gradients', (_, op, reference) => {
    expect(largestDifference(valuesOf(op(tf.tensor1d(POINTS))), POINTS.map(reference))).toBeLessThan(1e-6);
    const upstream = POINTS.map((_, i) => Math.cos(i));
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(op(x), upstream)));
    const loss = (x: number[]) => x.reduce((sum, value, i) => sum + reference(value) * upstream[i]!, 0);
    expect(largestDifference(valuesOf(gradient(tf.tensor1d(POINTS))), numericalGradient(loss, POINTS))).toBeLessThan(1e-5);
  });
});

describe.each(KINDS)('FeedForward with %s', (activation) => {
  beforeEach(() => useBackend('wasm'));

  function model(): tfl.LayersModel {
    const x = tfl.input({ shape: [TOKENS, FEATURES] });
    const layer = new FeedForward({ name: 'network', hiddenDim: 5, activation, seed: 4 });
    const output = layer.apply(x) as tfl.SymbolicTensor;
    // Biases start at zero, where they would hide mistakes.
    layer.setWeights(layer.getWeights().map((weight, i) => tf.add(weight, normal(weight.shape, i + 1, 0.1))));
    return tfl.model({ inputs: x, outputs: output });
  }

  const predict = (of: tfl.LayersModel, x: tf.Tensor) => valuesOf(of.predictOnBatch(x) as tf.Tensor);

  test('computes its formula', () => {
    const network = model();
    const x = normal([2, TOKENS, FEATURES], 7);
    const { hidden, gate, output } = (network.layers[1] as FeedForward).feedForwardWeights();
    const rows = tf.reshape(x, [2 * TOKENS, FEATURES]);
    const affine = (of: tf.Tensor, { kernel, bias }: typeof hidden) => tf.add(tf.matMul(of, kernel), bias!);
    const middle = () => {
      const h = affine(rows, hidden);
      if (activation === 'quadratic') return tf.add(tf.add(tf.mul(tf.square(h), 1 / 8), tf.mul(h, 1 / 4)), 1 / 2);
      if (gate === undefined) return tf.mul(h, tf.mul(tf.add(tf.erf(tf.mul(h, Math.SQRT1_2)), 1), 0.5));
      const g = affine(rows, gate);
      return tf.mul(tf.mul(g, tf.sigmoid(g)), h);
    };
    expect(largestDifference(predict(network, x), valuesOf(affine(middle(), output)))).toBeLessThan(1e-5);
  });

  test('predicts the same after saving and loading without custom objects', async () => {
    const x = normal([2, TOKENS, FEATURES], 5);
    const network = model();
    expect(predict(await roundTrip(network), x)).toEqual(predict(network, x));
  });

  test('has a polynomial that approaches it, also after a round trip', async () => {
    const x = normal([40, TOKENS, FEATURES], 6, 0.5);
    const network = model();
    const polynomial = toPolynomial(network, { calibration: x, bits: 16 }).model;
    expect(largestDifference(predict(polynomial, x), predict(network, x))).toBeLessThan(2 ** -12);
    expect(predict(await roundTrip(polynomial), x)).toEqual(predict(polynomial, x));
  });

  test('trains in an encoder block and converts', () => {
    const { x } = paddedExamples(48, 21);
    const block = classifier({ activation });
    const polynomial = toPolynomial(block, { calibration: x, bits: 20 }).model;
    expect(largestDifference(predict(polynomial, x), predict(block, x))).toBeLessThan(1e-4);
    const labels = tf.oneHot(
      tf.tensor1d(
        Array.from({ length: 48 }, (_, i) => i % 3),
        'int32',
      ),
      3,
    );
    const optimizer = tf.train.adam(0.02);
    const step = () => optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, block.apply(x) as tf.Tensor), true)!.dataSync()[0]!;
    const first = step();
    for (let i = 0; i < 60; i++) step();
    expect(step()).toBeLessThan(first / 1.5);
  });
});

describe('sites of feed-forward networks', () => {
  beforeEach(() => useBackend('wasm'));

  test('name the function that is approximated, and a quadratic has none', () => {
    const { x } = paddedExamples(4, 2);
    const functions = (activation: ActivationKind) =>
      collectRanges(() => classifier({ activation }).apply(x))
        .sites.filter(({ name }) => name === 'block_0/feed_forward/activation')
        .map((site) => [site.function, site.values.shape]);
    expect(functions('gelu')).toEqual([['gelu', [4, TOKENS, 12]]]);
    expect(functions('swiglu')).toEqual([['silu', [4, TOKENS, 12]]]);
    expect(functions('quadratic')).toEqual([]);
  });

  test('of SiLU have targets on both sides, and an interval in the report', () => {
    const values = tf.tensor2d([[-3, 6]]);
    const [loss] = valuesOf(
      rangeLoss([{ name: 'a/activation', function: 'silu', values }], { targets: { silu: { lower: -2, upper: 4 } } }),
    );
    expect(loss).toBeCloseTo((2 / 4) ** 2 + (1 / 4) ** 2, 6);
    const { x } = paddedExamples(40, 3);
    const { model } = toPolynomial(classifier({ activation: 'swiglu' }), { calibration: x });
    const site = polynomialReport(model).sites.find((entry) => entry.function === 'silu')!;
    expect([site.site, site.kappa]).toEqual(['block_0/feed_forward/activation', undefined]);
    expect(checkIntervals(model, x).every(({ inside }) => inside)).toBe(true);
  });

  test('SiLU has minimax polynomials of rising accuracy', () => {
    const grid = Array.from({ length: 200 }, (_, i) => -6 + (11 * i) / 199);
    const errors = [4, 8, 12].map((degree) => approximationErrors(approximate('silu', [-6, 5], { degree }), grid).max);
    expect(errors[1]).toBeLessThan(errors[0]! / 3);
    expect(errors[2]).toBeLessThan(errors[1]! / 3);
  });
});

test('rejects an unknown activation', () => {
  expect(() => new FeedForward({ hiddenDim: 4, activation: 'relu' as ActivationKind })).toThrow(InvalidArgumentError);
});

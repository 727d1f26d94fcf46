import { beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { checkIntervals, collectRanges, RMSNorm, rmsNorm, toPolynomial } from '../src/index.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, numericalGradient, valuesOf } from './support/reference.js';

const ROW = [1, -2, 0.5, 3];
const GAMMA = [1, 2, -1, 0.5];

/** Root mean square normalisation of one row in float64. */
function rmsRow(row: readonly number[], gamma: readonly number[], epsilon: number): number[] {
  const meanSquare = row.reduce((sum, x) => sum + x * x, 0) / row.length;
  return row.map((x, i) => (x / Math.sqrt(meanSquare + epsilon)) * gamma[i]!);
}

describe.each(BACKENDS)('rmsNorm on %s', (backend) => {
  beforeEach(() => useBackend(backend));

  test('equals the float64 reference', () => {
    const actual = valuesOf(rmsNorm(tf.tensor3d([[ROW]]), tf.tensor1d(GAMMA), 0.3));
    expect(largestDifference(actual, rmsRow(ROW, GAMMA, 0.3))).toBeLessThan(1e-5);
  });

  test('has gradients that equal central differences for input and gamma', () => {
    const upstream = [1, 2, 3, 4].map(Math.sin);
    const loss = (values: number[]): number => values.reduce((sum, y, i) => sum + y * upstream[i]!, 0);
    const gradients = tf.grads((x: tf.Tensor, g: tf.Tensor) => tf.sum(tf.mul(rmsNorm(x, g, 0.3), tf.tensor1d(upstream))));
    const [dx, dGamma] = gradients([tf.tensor2d([ROW]), tf.tensor1d(GAMMA)]);
    expect(
      largestDifference(
        valuesOf(dx!),
        numericalGradient((x) => loss(rmsRow(x, GAMMA, 0.3)), ROW),
      ),
    ).toBeLessThan(1e-4);
    expect(
      largestDifference(
        valuesOf(dGamma!),
        numericalGradient((g) => loss(rmsRow(ROW, g, 0.3)), GAMMA),
      ),
    ).toBeLessThan(1e-4);
  });
});

describe('RMSNorm', () => {
  beforeEach(() => useBackend('wasm'));

  function model(): tfl.LayersModel {
    const x = tfl.input({ shape: [TOKENS, FEATURES] });
    const norm = new RMSNorm({ name: 'norm', epsilon: 0.4 });
    const output = norm.apply(x) as tfl.SymbolicTensor;
    norm.setWeights([normal([FEATURES], 3)]);
    return tfl.model({ inputs: x, outputs: output });
  }

  const predict = (of: tfl.LayersModel, x: tf.Tensor) => valuesOf(of.predictOnBatch(x) as tf.Tensor);

  test('predicts the same after saving and loading without custom objects', async () => {
    const x = normal([3, TOKENS, FEATURES], 5);
    expect(predict(await roundTrip(model()), x)).toEqual(predict(model(), x));
  });

  test('reports the mean square, which is epsilon for rows of zeros', () => {
    const { sites } = collectRanges(() => model().apply(tf.concat([tf.zeros([1, 1, FEATURES]), tf.ones([1, TOKENS - 1, FEATURES])], 1)));
    const [site] = sites;
    expect([site!.name, site!.function, site!.floor, site!.values.shape]).toEqual(['norm/mean_square', 'rsqrt', 0.4, [1, TOKENS, 1]]);
    expect(largestDifference(valuesOf(site!.values), [0.4, 1.4, 1.4, 1.4, 1.4, 1.4])).toBeLessThan(1e-6);
  });

  test('has a polynomial that approaches it, also after a round trip', async () => {
    const x = normal([50, TOKENS, FEATURES], 6);
    const polynomial = toPolynomial(model(), { calibration: x, bits: 16 }).model;
    expect(largestDifference(predict(polynomial, x), predict(model(), x))).toBeLessThan(2 ** -12);
    expect(predict(await roundTrip(polynomial), x)).toEqual(predict(polynomial, x));
  });

  test('takes the place of LayerNorm in an encoder block, which converts and trains', () => {
    const { x } = paddedExamples(60, 4);
    const block = classifier({ norm: 'rms' });
    const polynomial = toPolynomial(block, { calibration: x, bits: 20 }).model;
    expect(checkIntervals(polynomial, x).map(({ site }) => site)).toEqual([
      'block_0/attention/denominator',
      'block_0/attention_norm/mean_square',
      'block_0/feed_forward/activation',
      'block_0/feed_forward_norm/mean_square',
    ]);
    expect(largestDifference(predict(polynomial, x), predict(block, x))).toBeLessThan(1e-4);
    const labels = tf.oneHot(
      tf.tensor1d(
        Array.from({ length: 60 }, (_, i) => i % 3),
        'int32',
      ),
      3,
    );
    const optimizer = tf.train.adam(0.02);
    const step = () => optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, block.apply(x) as tf.Tensor), true)!.dataSync()[0]!;
    const first = step();
    for (let i = 0; i < 40; i++) step();
    expect(step()).toBeLessThan(first / 1.5);
  });
});

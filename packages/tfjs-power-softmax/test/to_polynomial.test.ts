import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  assertIntervals,
  checkIntervals,
  collectRanges,
  EncoderBlock,
  formatReport,
  type IntervalCheck,
  IntervalError,
  InvalidArgumentError,
  LayerNorm,
  MultiHeadAttention,
  polynomialReport,
  rangeLoss,
  toPolynomial,
  UnsupportedLayerError,
  watchIntervals,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const { x, mask } = paddedExamples(200, 31);

function predict(model: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]): number[] {
  return valuesOf(model.predictOnBatch(inputs) as tf.Tensor);
}

function difference(a: tfl.LayersModel, b: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[] = x): number {
  return largestDifference(predict(a, inputs), predict(b, inputs));
}

/** Names of the kernels that a function runs. */
async function kernelsOf(f: () => tf.Tensor): Promise<string[]> {
  const { kernelNames } = await tf.profile(f);
  // The profile also lists scopes: public ops end in __op, the others have no kernel of their name.
  return kernelNames.filter((name) => tf.getKernel(name, 'wasm') !== undefined);
}

describe('the polynomial of a classifier', () => {
  test('has logits that approach those of the model as the polynomials get better', () => {
    const model = classifier();
    const errors = [6, 10, 14].map((bits) => difference(toPolynomial(model, { calibration: x, bits }).model, model));
    expect(errors[0]).toBeLessThan(2 ** -4);
    expect(errors[1]).toBeLessThan(2 ** -8);
    expect(errors[2]).toBeLessThan(2 ** -12);
  });

  test('equals the model up to rounding when the polynomials are exact to float32', () => {
    const model = classifier();
    expect(difference(toPolynomial(model, { calibration: x, bits: 24 }).model, model)).toBeLessThan(2e-5);
  });

  test('runs linear ops and products only', async () => {
    const { model } = toPolynomial(classifier(), { calibration: x, bits: 8 });
    const allowed = [
      'Add',
      'BatchMatMul',
      'Concat',
      'Identity',
      'Mean',
      'Multiply',
      'Reshape',
      'Square',
      'Sub',
      'Sum',
      'Transpose',
      '_FusedMatMul',
    ];
    const two = tf.slice(x, 0, 2);
    const used = await kernelsOf(() => model.apply(two) as tf.Tensor);
    expect(used.filter((kernel) => !allowed.includes(kernel))).toEqual([]);
    expect(used).toContain('Square');
  });

  test('has readable top-level layers', () => {
    const { model } = toPolynomial(classifier(), { calibration: x });
    expect(model.layers.map((layer) => layer.name)).toEqual([
      'embedded',
      'block_0/attention',
      'block_0/attention_norm',
      'block_0/feed_forward',
      'block_0/feed_forward_norm',
      'pool',
      'logits',
    ]);
  });

  test('predicts and reports the same after saving and loading without custom objects', async () => {
    const { model, report } = toPolynomial(classifier(), { calibration: x });
    const loaded = await roundTrip(model);
    expect(predict(loaded, x)).toEqual(predict(model, x));
    expect(polynomialReport(loaded)).toEqual(report);
  });

  test('converts the mask input of a masked model', () => {
    const model = classifier({ useBias: true }, true);
    // Padding that is not zero, so that only the mask hides it.
    const inputs = [normal([200, TOKENS, FEATURES], 32, 0.5), mask];
    const { model: polynomial } = toPolynomial(model, { calibration: inputs, bits: 12 });
    expect(difference(polynomial, model, inputs)).toBeLessThan(2 ** -9);
  });

  test.each([2, 6, 8])('supports p = %i', (p) => {
    const model = classifier({ p, epsilon: 1 });
    expect(difference(toPolynomial(model, { calibration: x, bits: 10 }).model, model)).toBeLessThan(2 ** -7);
  });

  test('does not change or keep tensors of the model', () => {
    const model = classifier();
    const before = predict(model, x);
    const tensors = tf.memory().numTensors;
    toPolynomial(model, { calibration: x }).model.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
    expect(predict(model, x)).toEqual(before);
  });
});

test('a polynomial model can be trained further, on its task and on its ranges', () => {
  const { model } = toPolynomial(classifier(), { calibration: x, bits: 8 });
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: 200 }, (_, i) => i % 3),
      'int32',
    ),
    3,
  );
  const targets = { reciprocal: { upper: 2 } };
  const optimizer = tf.train.adam(0.003);
  const step = () =>
    optimizer
      .minimize(() => {
        const { result, sites } = collectRanges(() => model.apply(x, { training: true }) as tf.Tensor);
        return tf.add(tf.losses.softmaxCrossEntropy(labels, result), rangeLoss(sites, { targets }));
      }, true)!
      .dataSync()[0]!;
  const first = step();
  for (let i = 0; i < 20; i++) step();
  expect(step()).toBeLessThan(first * 0.95);
});

test('stacked blocks, attention and norms on their own, and sequential models are converted', () => {
  const model = tfl.sequential({
    layers: [
      new LayerNorm({ name: 'norm', epsilon: 0.5, inputShape: [TOKENS, FEATURES] } as ConstructorParameters<typeof LayerNorm>[0]),
      new MultiHeadAttention({ name: 'mixer', numHeads: 2, keyDim: 4, epsilon: 1, seed: 4 }),
      new EncoderBlock({ ...BLOCK, name: 'first' }),
      new EncoderBlock({ ...BLOCK, name: 'second', seed: 8 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 2 }),
    ],
  });
  const { model: polynomial, report } = toPolynomial(model, { calibration: x, bits: 12 });
  expect(report.sites.map((site) => site.site).slice(0, 3)).toEqual(['norm/variance', 'mixer/denominator', 'first/attention/denominator']);
  expect(difference(polynomial, model)).toBeLessThan(2 ** -8);
});

describe('the report', () => {
  const { report } = (() => {
    let result: ReturnType<typeof toPolynomial> | undefined;
    return {
      get report() {
        result ??= toPolynomial(classifier(), { calibration: x, bits: 9, margin: 1.5, degrees: { gelu: 7 } });
        return result.report;
      },
    };
  })();

  test('gives intervals that start at epsilon and reach margin times beyond the data', () => {
    const [denominator] = report.sites;
    expect(denominator!.interval[0]).toBe(0.5);
    expect(denominator!.interval[1]).toBeCloseTo(0.5 + 1.5 * (denominator!.calibration.observed[1] - 0.5), 5);
    expect(denominator!.kappa).toBeCloseTo(denominator!.interval[1] / 0.5, 9);
  });

  test('gives the accuracy asked for, or the degree where one is given', () => {
    for (const site of report.sites) {
      if (site.function === 'gelu') expect(site.degree).toBe(7);
      else expect(site.maxError).toBeLessThanOrEqual(2 ** -9);
    }
  });

  test('gives errors on the data that do not exceed those on the interval', () => {
    for (const site of report.sites) {
      expect(site.calibration.samples).toBeGreaterThan(100);
      expect(site.calibration.meanError).toBeLessThanOrEqual(site.calibration.maxError);
      expect(site.calibration.maxError).toBeLessThanOrEqual(site.maxError * 1.001);
    }
  });

  test('is printed with one line per site', () => {
    expect(formatReport(report).split('\n')).toHaveLength(report.sites.length + 1);
    expect(formatReport(report)).toContain('block_0/feed_forward/activation');
  });
});

describe('interval checks', () => {
  test('pass on the calibration data', () => {
    const { model } = toPolynomial(classifier(), { calibration: x });
    expect(checkIntervals(model, x).map((check) => check.inside)).toEqual([true, true, true, true]);
    expect(() => assertIntervals(model, x)).not.toThrow();
  });

  test('name the sites that leave their intervals', () => {
    const { model } = toPolynomial(classifier(), { calibration: x });
    const larger = tf.mul(x, 1.6);
    const left = checkIntervals(model, larger).filter((check) => !check.inside);
    expect(left.map((check) => check.site)).toContain('block_0/attention/denominator');
    expect(left[0]!.outside).toBeLessThan(left[0]!.count);
    expect(() => assertIntervals(model, larger)).toThrow(IntervalError);
    expect(() => assertIntervals(model, larger)).toThrow(/block_0\/attention\/denominator/);
  });

  test('watch whatever runs the model, until told to stop', () => {
    const { model } = toPolynomial(classifier(), { calibration: x });
    const larger = tf.mul(x, 1.6);
    const stop = watchIntervals();
    try {
      expect(() => predict(model, x)).not.toThrow();
      expect(() => predict(model, larger)).toThrow(IntervalError);
      expect(() => model.apply(larger)).toThrow(/block_0\/attention\/denominator saw/);
    } finally {
      stop();
    }
    expect(() => predict(model, larger)).not.toThrow();
  });

  test('report to a callback what checkIntervals finds', () => {
    const { model } = toPolynomial(classifier(), { calibration: x });
    const larger = tf.mul(tf.slice(x, 0, 64), 1.6);
    const found: IntervalCheck[] = [];
    const stop = watchIntervals((check) => found.push(check));
    predict(model, larger);
    stop();
    expect(found).toEqual(checkIntervals(model, larger).filter((check) => !check.inside));
    expect(found.length).toBeGreaterThan(0);
  });

  test('refuse a model that is not polynomial', () => {
    expect(() => checkIntervals(classifier(), x)).toThrow(InvalidArgumentError);
  });
});

describe('toPolynomial refuses', () => {
  test('softmax attention, by name', () => {
    const convert = () => toPolynomial(classifier({ attention: 'softmax' }), { calibration: x });
    expect(convert).toThrow(UnsupportedLayerError);
    expect(convert).toThrow(/block_0/);
  });

  test('a final softmax, saying that logits suffice', () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, activation: 'softmax', inputShape: [TOKENS, FEATURES] })] });
    expect(() => toPolynomial(model, { calibration: x })).toThrow(/logits/);
  });

  test('layers that are no polynomial, by name', () => {
    const model = tfl.sequential({ layers: [tfl.layers.reLU({ name: 'rectifier', inputShape: [TOKENS, FEATURES] })] });
    expect(() => toPolynomial(model, { calibration: x })).toThrow(/rectifier/);
  });

  test('an epsilon of 0', () => {
    expect(() => toPolynomial(classifier({ epsilon: 0 }), { calibration: x })).toThrow(/epsilon/);
  });

  test('calibration data that is not finite', () => {
    expect(() => toPolynomial(classifier(), { calibration: tf.fill([2, TOKENS, FEATURES], Number.NaN) })).toThrow(/NaN/);
  });

  test('a margin below 1 and empty calibration data', () => {
    expect(() => toPolynomial(classifier(), { calibration: x, margin: 0.9 })).toThrow(InvalidArgumentError);
    expect(() => toPolynomial(classifier(), { calibration: tf.zeros([0, TOKENS, FEATURES]) })).toThrow(InvalidArgumentError);
  });
});

import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  AttentionPooling,
  type AttentionPoolingArgs,
  assertIntervals,
  InvalidArgumentError,
  type PoolingAttention,
  polynomialReport,
  replaceSoftmax,
  toPolynomial,
  UnsupportedLayerError,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const COUNT = 30;
const { x, mask } = paddedExamples(COUNT, 3);
/** The same where the mask is one, noise elsewhere. */
const noisy = tf.add(x, tf.mul(tf.sub(1, tf.reshape(mask, [COUNT, TOKENS, 1])), normal([COUNT, TOKENS, FEATURES], 4)));
const POOLING: AttentionPoolingArgs = { name: 'pool', numHeads: 2, valueDim: 3, p: 2, epsilon: 0.3, seed: 5 };

const predict = (of: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);

/** The layer, and two logits from its result. */
function classifier(args: Partial<AttentionPoolingArgs> = {}, masked = false): tfl.LayersModel {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [TOKENS] })].slice(0, masked ? 2 : 1);
  const pooled = new AttentionPooling({ ...POOLING, ...args }).apply(masked ? inputs : inputs[0]!) as tfl.SymbolicTensor;
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 3 });
  const outputs = tfl.layers.dense({ units: 2, kernelInitializer }).apply(pooled) as tfl.SymbolicTensor;
  return tfl.model({ inputs, outputs });
}

/** By loops over the definition. */
function reference(layer: AttentionPooling, inputs: tf.Tensor): number[] {
  const [query, value] = [layer.weight('query/kernel'), layer.weight('value/kernel')].map((w) => w.arraySync() as number[][]);
  const { attention, numHeads, valueDim, p, epsilon } = layer;
  const dot = (row: number[], kernel: number[][], column: number): number => row.reduce((sum, v, i) => sum + v * kernel[i]![column]!, 0);
  return (inputs.arraySync() as number[][][]).flatMap((rows) =>
    Array.from({ length: numHeads }, (_, h) => {
      const raw = rows.map((row) => (attention === 'power' ? dot(row, query!, h) ** p : Math.exp(dot(row, query!, h))));
      const total = raw.reduce((sum, v) => sum + v, attention === 'power' ? epsilon * rows.length : 0);
      return Array.from({ length: valueDim }, (_, k) =>
        rows.reduce((sum, row, t) => sum + (raw[t]! / total) * dot(row, value!, h * valueDim + k), 0),
      );
    }).flat(),
  );
}

describe('AttentionPooling', () => {
  test.each<[PoolingAttention, number]>([
    ['power', 2],
    ['power', 4],
    ['softmax', 2],
  ])('is the mean of values by the weights of learned queries (%s, p = %p)', (attention, p) => {
    const layer = new AttentionPooling({ ...POOLING, attention, p });
    const pooled = layer.apply(noisy) as tf.Tensor;
    expect(pooled.shape).toEqual([COUNT, 6]);
    expect(largestDifference(valuesOf(pooled), reference(layer, noisy))).toBeLessThan(1e-5);
  });

  test.each<PoolingAttention>(['power', 'softmax'])('takes nothing from masked tokens (%s)', (attention) => {
    const layer = new AttentionPooling({ ...POOLING, attention });
    const masked = valuesOf(layer.apply([noisy, mask]) as tf.Tensor);
    expect(largestDifference(masked, valuesOf(layer.apply([x, mask]) as tf.Tensor))).toBeLessThan(1e-6);
    expect(largestDifference(masked, valuesOf(layer.apply(noisy) as tf.Tensor))).toBeGreaterThan(1e-2);
  });

  test('sees rows of zeros as masked tokens', () => {
    const layer = new AttentionPooling(POOLING);
    expect(largestDifference(valuesOf(layer.apply(x) as tf.Tensor), valuesOf(layer.apply([noisy, mask]) as tf.Tensor))).toBeLessThan(1e-6);
  });

  test('predicts the same after saving and loading', async () => {
    const model = classifier();
    expect(predict(await roundTrip(model), x)).toEqual(predict(model, x));
  });

  test('has the weights of its softmax twin after replaceSoftmax', () => {
    const { model, report } = replaceSoftmax(classifier({ attention: 'softmax' }));
    expect(report.replaced).toMatchObject([{ layer: 'pool', p: 2, epsilon: 0.3 }]);
    expect(largestDifference(predict(model, x), predict(classifier(), x))).toBe(0);
  });

  test.each<Partial<AttentionPoolingArgs>>([
    { numHeads: 0 },
    { valueDim: 1.5 },
    { p: 3 },
    { epsilon: -1 },
    { attention: 'sigma' as 'power' },
  ])('rejects %j', (args) => {
    expect(() => new AttentionPooling({ ...POOLING, ...args })).toThrow(InvalidArgumentError);
  });
});

describe('its polynomial', () => {
  test.each<[Partial<AttentionPoolingArgs>, boolean]>([
    [{}, false],
    [{ valueDim: 1, numHeads: 5, p: 4 }, false],
    [{}, true],
  ])('approaches it (%j, masked: %p), also after saving and loading', async (args, masked) => {
    const model = classifier(args, masked);
    const inputs = masked ? [noisy, mask] : x;
    const { model: polynomial } = toPolynomial(model, { calibration: inputs, bits: 18, margin: 1.2 });
    expect(largestDifference(predict(polynomial, inputs), predict(model, inputs))).toBeLessThan(1e-4);
    expect(predict(await roundTrip(polynomial), inputs)).toEqual(predict(polynomial, inputs));
    assertIntervals(polynomial, inputs);
  });

  test('has one site, the denominator, and only linear ops and products', async () => {
    const { model } = toPolynomial(classifier(), { calibration: x });
    expect(polynomialReport(model).sites.map(({ site, function: of }) => [site, of])).toEqual([['pool/denominator', 'reciprocal']]);
    const { kernelNames } = await tf.profile(() => model.apply(x) as tf.Tensor);
    const used = new Set(kernelNames.filter((name) => tf.getKernel(name, 'wasm') !== undefined));
    for (const kernel of used) {
      expect('Add BatchMatMul Identity Multiply Reshape Square Sub Sum Transpose _FusedMatMul'.split(' ')).toContain(kernel);
    }
  });

  test('is refused for softmax, and for another number of tokens', () => {
    expect(() => toPolynomial(classifier({ attention: 'softmax' }), { calibration: x })).toThrow(UnsupportedLayerError);
    const { model } = toPolynomial(classifier(), { calibration: x });
    expect(() => model.getLayer('pool').build([null, TOKENS + 1, FEATURES])).toThrow(InvalidArgumentError);
  });
});

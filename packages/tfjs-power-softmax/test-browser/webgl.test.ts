/** What needs both backends at once, or is peculiar to WebGL. The tests of test/ that name a backend run on WebGL as well: see page/main.ts. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assertIntervals, MultiHeadAttention, type PowerSoftmaxForm, powerSoftmax, toPolynomial } from '../src/index.js';
import { classifier, FEATURES, paddedExamples, TOKENS } from '../test/support/models.js';
import { largestDifference, normal, valuesOf } from '../test/support/reference.js';
import { useBackend } from './page/backend.js';

const FORMS: readonly PowerSoftmaxForm[] = ['stable', 'sum', 'mean'];
const SCORES = [2, 3, 24, 24];

/** Largest difference of what `compute` gives on WebGL from what it gives on the CPU. */
async function webglAgainstCpu(compute: () => number[]): Promise<number> {
  await useBackend('cpu');
  const expected = compute();
  await useBackend('webgl');
  const actual = compute();
  expect(expected.length).toBeGreaterThan(1);
  expect(expected.some((value) => value !== 0)).toBe(true);
  return largestDifference(actual, expected);
}

test('the backend computes in 32-bit textures of the GPU', async () => {
  await useBackend('webgl');
  const product = tf.mul(tf.tensor1d([3]), tf.scalar(2 ** -20));
  expect((tf.memory() as tf.MemoryInfo & { numBytesInGPU: number }).numBytesInGPU).toBeGreaterThan(0);
  expect(tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')).toBe(true);
  expect(valuesOf(product)).toEqual([3 * 2 ** -20]);
});

describe.each(FORMS)('powerSoftmax in form %s on WebGL', (form) => {
  const causal = () => tf.linalg.bandPart(tf.ones(SCORES.slice(2)), -1, 0);
  const weights = (x: tf.Tensor) => powerSoftmax(x, { form, epsilon: 0.05, mask: causal(), counts: 'visible' });

  test('has the CPU backend’s values', async () => {
    expect(await webglAgainstCpu(() => valuesOf(weights(normal(SCORES, 1))))).toBeLessThan(1e-6);
  });

  test('has the CPU backend’s gradient', async () => {
    const loss = (x: tf.Tensor) => tf.sum(tf.mul(weights(x), normal(SCORES, 2)));
    expect(await webglAgainstCpu(() => valuesOf(tf.grad(loss)(normal(SCORES, 1))))).toBeLessThan(1e-5);
  });

  test('gives zeros for a fully masked row, in value and gradient', async () => {
    await useBackend('webgl');
    const mask = tf.tensor2d([0, 0, 0, 1, 0, 1], [2, 3]);
    const masked = (x: tf.Tensor) => powerSoftmax(x, { form, mask, counts: 'visible' });
    const x = normal([2, 3], 3);
    expect(valuesOf(masked(x)).slice(0, 3)).toEqual([0, 0, 0]);
    const gradient = tf.grad((input: tf.Tensor) => tf.sum(tf.square(masked(input))))(x);
    expect(valuesOf(gradient).slice(0, 3).map(Math.abs)).toEqual([0, 0, 0]);
  });
});

describe('layers and models on WebGL', () => {
  test('MultiHeadAttention, causal and with grouped heads, has the CPU backend’s output', async () => {
    const attention = () => {
      const input = tfl.input({ shape: [TOKENS, FEATURES] });
      const layer = new MultiHeadAttention({ numHeads: 4, keyValueHeads: 2, keyDim: 4, causal: true, rotary: true, seed: 5 });
      const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
      return valuesOf(model.predictOnBatch(normal([3, TOKENS, FEATURES], 4)) as tf.Tensor);
    };
    expect(await webglAgainstCpu(attention)).toBeLessThan(1e-5);
  });

  test('a training step of an encoder block leaves the CPU backend’s weights', async () => {
    const step = () => {
      const model = classifier();
      const { x } = paddedExamples(6, 7);
      const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3);
      tf.train.sgd(1).minimize(() => tf.losses.softmaxCrossEntropy(labels, model.apply(x, { training: true }) as tf.Tensor));
      return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
    };
    expect(await webglAgainstCpu(step)).toBeLessThan(1e-5);
  });

  test('the polynomial form of a model predicts what it does on the CPU, inside of its intervals', async () => {
    const predict = () => {
      const { x } = paddedExamples(20, 8);
      const { model } = toPolynomial(classifier(), { calibration: x, bits: 10 });
      assertIntervals(model, x);
      return valuesOf(model.predictOnBatch(x) as tf.Tensor);
    };
    expect(await webglAgainstCpu(predict)).toBeLessThan(1e-4);
  });
});

describe('numbers that WebGL treats otherwise', () => {
  beforeEach(() => useBackend('webgl'));

  test('scores below 2^-126 count as zero', () => {
    const weights = (smallest: number) => valuesOf(powerSoftmax([smallest, 0], { epsilon: 0 }));
    expect(weights(2 ** -126)).toEqual([1, 0]);
    expect(weights(2 ** -127)).toEqual([0, 0]);
  });

  test('16-bit textures, all that some phones can draw to, keep 9 bits of the stable form at any scale', async () => {
    await useBackend('cpu');
    const rows = [1 / 64, 1, 4096].map((scale) => tf.mul(normal([4, 8], 9), scale));
    const expected = rows.flatMap((x) => valuesOf(powerSoftmax(x, { epsilon: 0 })));
    await restartWebgl({ half: true });
    const actual = rows.flatMap((x) => valuesOf(powerSoftmax(x, { epsilon: 0 })));
    await restartWebgl({ half: false });
    expect(largestDifference(actual, expected)).toBeLessThan(2 ** -9);
    expect(largestDifference(actual, expected)).toBeGreaterThan(0);
  });

  async function restartWebgl({ half }: { half: boolean }): Promise<void> {
    const start = tf.findBackendFactory('webgl');
    tf.removeBackend('webgl');
    tf.env().set('WEBGL_FORCE_F16_TEXTURES', half);
    tf.env().set('WEBGL_RENDER_FLOAT32_ENABLED', !half);
    tf.registerBackend('webgl', start, 2);
    await useBackend('webgl');
  }
});

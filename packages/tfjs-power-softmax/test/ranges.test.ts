import { beforeAll, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { collectRanges, InvalidArgumentError, isRecordingRanges, rangeLoss, reportRange } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { classifier, paddedExamples, TOKENS } from './support/models.js';
import { valuesOf } from './support/reference.js';

beforeAll(() => useBackend('cpu'));

test('an encoder block reports every function that is no polynomial, with its shape and floor', () => {
  const model = classifier();
  const { x } = paddedExamples(3, 1);
  const { sites } = collectRanges(() => model.apply(x));
  expect(sites.map(({ name, function: kind, floor, values }) => [name, kind, floor, values.shape])).toEqual([
    ['block_0/attention/denominator', 'reciprocal', 0.5, [3, 2, TOKENS, 1]],
    ['block_0/attention_norm/variance', 'rsqrt', 0.3, [3, TOKENS, 1]],
    ['block_0/feed_forward/activation', 'gelu', undefined, [3, TOKENS, 12]],
    ['block_0/feed_forward_norm/variance', 'rsqrt', 0.3, [3, TOKENS, 1]],
  ]);
});

test('padding lies at the floor of the first denominator and variance', () => {
  const { x } = paddedExamples(1, 1);
  const { sites } = collectRanges(() => classifier().apply(x));
  for (const site of sites.slice(0, 2)) expect(site.values.dataSync().at(-1)).toBeCloseTo(site.floor!, 6);
});

test('softmax attention reports no denominator', () => {
  const { x } = paddedExamples(2, 1);
  const { sites } = collectRanges(() => classifier({ attention: 'softmax' }).apply(x));
  expect(sites.map((site) => site.function)).toEqual(['rsqrt', 'gelu', 'rsqrt']);
});

test('nothing is computed or recorded outside of a recording', () => {
  expect(isRecordingRanges()).toBe(false);
  reportRange({ name: 'site', function: 'gelu' }, () => {
    throw new Error('must not be called');
  });
});

test('a recording ends when the forward pass throws, and leaves no tensors', () => {
  const before = tf.memory().numTensors;
  const failing = () =>
    tf.tidy(() => {
      reportRange({ name: 'site', function: 'gelu' }, () => tf.scalar(1));
      throw new Error('forward failed');
    });
  expect(() => collectRanges(failing)).toThrow('forward failed');
  expect(isRecordingRanges()).toBe(false);
  expect(tf.memory().numTensors).toBe(before);
});

test('recorded tensors belong to the scope of the caller', () => {
  const model = classifier();
  const { x } = paddedExamples(2, 1);
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    collectRanges(() => model.apply(x));
  });
  expect(tf.memory().numTensors).toBe(before);
});

function site(kind: 'reciprocal' | 'gelu', values: number[][]) {
  return { name: 'a/site', function: kind, values: tf.tensor2d(values) } as const;
}

test('the loss is the squared log excess of the largest entry, averaged over the batch', () => {
  const sites = [
    site('reciprocal', [
      [1, 4],
      [0.5, 2],
    ]),
  ];
  const [loss] = valuesOf(rangeLoss(sites, { targets: { reciprocal: { upper: 2 } } }));
  expect(loss).toBeCloseTo(Math.log(2) ** 2 / 2, 6);
});

test('the loss of an activation counts both ends, relative to the wider', () => {
  const sites = [
    site('gelu', [
      [-3, 6],
      [0, 1],
    ]),
  ];
  const [loss] = valuesOf(rangeLoss(sites, { targets: { gelu: { lower: -2, upper: 4 } } }));
  expect(loss).toBeCloseTo(((2 / 4) ** 2 + (1 / 4) ** 2) / 2, 6);
});

test('a target by site name wins over one by function, and sites without target add nothing', () => {
  const sites = [site('reciprocal', [[4]]), { ...site('reciprocal', [[100]]), name: 'b/site' }];
  expect(valuesOf(rangeLoss(sites, { targets: { 'a/site': { upper: 8 } } }))).toEqual([0]);
  const [loss] = valuesOf(rangeLoss(sites, { targets: { 'a/site': { upper: 8 }, reciprocal: { upper: 50 } } }));
  expect(loss).toBeCloseTo(Math.log(2) ** 2, 5);
});

test('targets of positive functions must be positive', () => {
  expect(() => rangeLoss([site('reciprocal', [[1]])], { targets: { reciprocal: { upper: 0 } } })).toThrow(InvalidArgumentError);
});

test('training on the loss moves every range inside its target', async () => {
  await useBackend('wasm');
  const model = classifier();
  const { x } = paddedExamples(16, 2);
  const targets = { reciprocal: { upper: 0.6 }, rsqrt: { upper: 1 }, gelu: { lower: -1.5, upper: 1.5 } };
  const optimizer = tf.train.adam(0.02);
  const step = () =>
    optimizer.minimize(() => rangeLoss(collectRanges(() => model.apply(x, { training: true })).sites, { targets }), true)!.dataSync()[0]!;
  const first = step();
  for (let i = 0; i < 80; i++) step();
  expect(first).toBeGreaterThan(0.05);
  expect(step()).toBeLessThan(first / 50);
  await useBackend('cpu');
});

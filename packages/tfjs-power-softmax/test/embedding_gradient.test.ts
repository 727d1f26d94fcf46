import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, LanguageModelHead } from '../src/index.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { BLOCK, FEATURES, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

const [ROWS, WIDTH, SEGMENTS] = [7, 3, 5];
const ids = [4, 0, 2, 4, 4, 1, 0];

describe('UnsortedSegmentSum on the WASM backend', () => {
  test('sums the rows of each segment, as on the CPU backend', async () => {
    const results: number[][] = [];
    for (const backend of BACKENDS) {
      await useBackend(backend);
      const x = normal([ROWS, 2, WIDTH], 3);
      results.push(valuesOf(tf.unsortedSegmentSum(x, tf.tensor1d(ids, 'int32'), SEGMENTS)));
    }
    expect(results[1]).toHaveLength(SEGMENTS * 2 * WIDTH);
    expect(largestDifference(results[1]!, results[0]!)).toBeLessThan(1e-6);
  });

  test('gives the gradient of gather for indices of any rank', async () => {
    await useBackend('wasm');
    const indices = tf.tensor2d([0, 1, 1, 3], [2, 2], 'int32');
    const upstream = normal([2, 2, WIDTH], 4);
    const gradient = tf.grad((table: tf.Tensor) => tf.sum(tf.mul(tf.gather(table, indices), upstream)))(normal([4, WIDTH], 5));
    const rows = tf.reshape(upstream, [4, WIDTH]).arraySync() as number[][];
    const expected = [0, 1, 2, 3].flatMap((segment) =>
      Array.from({ length: WIDTH }, (_, k) => [0, 1, 1, 3].reduce((sum, id, i) => sum + (id === segment ? rows[i]![k]! : 0), 0)),
    );
    expect(gradient.shape).toEqual([4, WIDTH]);
    expect(largestDifference(valuesOf(gradient), expected)).toBeLessThan(1e-6);
  });

  test('leaves no tensors behind', async () => {
    await useBackend('wasm');
    const x = normal([ROWS, WIDTH], 3);
    const segments = tf.tensor1d(ids, 'int32');
    const before = tf.memory().numTensors;
    tf.unsortedSegmentSum(x, segments, SEGMENTS).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('a language model with a stock Embedding trains on the WASM backend', async () => {
  await useBackend('wasm');
  const vocabulary = 6;
  const input = tfl.input({ shape: [TOKENS] });
  const embeddingsInitializer = tfl.initializers.randomNormal({ seed: 1, mean: 0, stddev: 1 });
  const embedded = tfl.layers.embedding({ inputDim: vocabulary, outputDim: FEATURES, embeddingsInitializer }).apply(input);
  const decoded = new EncoderBlock({ ...BLOCK, causal: true, rotary: true, normFirst: true }).apply(embedded);
  const logits = new LanguageModelHead({ units: vocabulary, norm: 'layer', seed: 2 }).apply(decoded) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: logits });
  // The next token of a cycle.
  const tokens = Array.from({ length: 24 }, (_, i) => Array.from({ length: TOKENS }, (_, t) => (i + t) % vocabulary));
  const labels = tf.oneHot(
    tf.tensor2d(
      tokens.map((row) => row.map((id) => (id + 1) % vocabulary)),
      undefined,
      'int32',
    ),
    vocabulary,
  );
  model.compile({ optimizer: tf.train.adam(0.02), loss: (y, z) => tf.losses.softmaxCrossEntropy(y, z) });
  const { history } = await model.fit(tf.tensor2d(tokens), labels, { epochs: 15, verbose: 0, shuffle: false });
  expect(history.loss!.at(-1)).toBeLessThan((history.loss![0] as number) / 4);
});

import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { seededRandom } from '../src/random.js';
import { cutBatchCount, cutBatches, encodeQuestions, selectQuestions, tokensOf } from '../src/train/batches.js';
import { buildClassifier } from '../src/train/classifier.js';
import { calibrationQuestions, convertClassifier, embedQuestions, serverLogits } from '../src/train/convert.js';
import { dividedModel } from '../src/train/divided_model.js';
import { trainingLoss } from '../src/train/loss.js';
import { agreement, classifierLogits } from '../src/train/metrics.js';
import type { Recipe, Variant } from '../src/train/recipe.js';
import { train } from '../src/train/trainer.js';
import { startWasm } from '../src/train/wasm.js';
import { TINY_LABELS, TINY_RECIPE, TINY_VOCABULARY } from './tiny_task.js';

const RECIPE: Recipe = {
  ...TINY_RECIPE,
  architecture: { ...TINY_RECIPE.architecture, maxTokens: 8, blocks: 2, feedForwardParts: 4 },
  lengths: [4, 8],
  batchSize: 4,
  epochs: 2,
};
const questions = encodeQuestions(
  Array.from({ length: 24 }, (_, row) => ({ ids: Array.from({ length: 1 + (row % 8) }, (_, i) => 2 + ((row + i) % 7)), label: row % 3 })),
  8,
);

beforeAll(startWasm);

async function trained(variant: Variant) {
  const classifier = buildClassifier(RECIPE, variant, TINY_VOCABULARY, TINY_LABELS);
  await train(classifier, questions, RECIPE);
  return classifier;
}

describe('cutBatches', () => {
  test('cuts each batch to a length that holds its questions, and leaves out less than a batch of each length', () => {
    const batches = cutBatches(questions, 5, [2, 4, 8], seededRandom(1));
    expect(batches).toHaveLength(cutBatchCount(questions, 5, [2, 4, 8]));
    expect(batches.map(({ maxTokens }) => maxTokens).sort()).toEqual([2, 4, 8, 8]);
    for (const batch of batches) {
      expect(batch.ids).toHaveLength(5 * batch.maxTokens);
      for (let row = 0; row < 5; row += 1) expect(tokensOf(batch, row)).toBeGreaterThan({ 2: 0, 4: 2, 8: 4 }[batch.maxTokens] ?? 8);
    }
  });
});

describe.each(['power', 'softmax'] as const)('a stack of blocks with %s', (variant) => {
  test('gives the logits of the padded text for one whose padding is cut off', async () => {
    const classifier = await trained(variant);
    const short = selectQuestions(questions, [0, 1, 2, 3]);
    const cut = new Int32Array(16);
    for (let row = 0; row < 4; row += 1) cut.set(short.ids.subarray(8 * row, 8 * row + 4), 4 * row);
    const difference = tf.tidy(
      () => tf.max(tf.abs(tf.sub(classifier.logits(short.ids), classifier.logits(cut, undefined, 4)))).dataSync()[0],
    );
    expect(difference).toBeLessThan(1e-5);
    classifier.dispose();
  });
});

describe('conversion of a stack', () => {
  test('a feed-forward network in parts is the same function', async () => {
    const classifier = await trained('power');
    const divided = dividedModel(classifier.model, 4);
    const difference = tf.tidy(() => {
      const x = embedQuestions(questions, classifier.embeddingWeights());
      const [a, b] = [classifier.model, divided].map((model) => [model.predictOnBatch(x)].flat()[0] ?? tf.scalar(Number.NaN));
      return tf.max(tf.abs(tf.sub(a ?? 0, b ?? 1))).dataSync()[0];
    });
    expect(difference).toBeLessThan(1e-5);
    divided.dispose();
    classifier.dispose();
  });

  test('has an approximation for each part, and keeps the logits', async () => {
    const classifier = await trained('power');
    const { model, report } = convertClassifier(classifier, questions, RECIPE, 'tiny');
    expect(report.sites.filter(({ site }) => site.startsWith('block_1/feed_forward_') && site.endsWith('activation'))).toHaveLength(4);
    const { maxDifference } = agreement(
      classifierLogits(classifier, questions),
      serverLogits(model, questions, classifier.embeddingWeights()),
    );
    expect(maxDifference).toBeLessThan(0.1);
    model.dispose();
    classifier.dispose();
  });

  test('is calibrated on the longest questions', () => {
    const { count, ...few } = calibrationQuestions(questions, { ...RECIPE, conversion: { ...RECIPE.conversion, calibration: 3 } });
    expect([count, tokensOf({ count, ...few }, 0), tokensOf({ count, ...few }, 2)]).toEqual([3, 8, 8]);
    expect(calibrationQuestions(questions, RECIPE)).toBe(questions);
  });
});

describe('training of a stack', () => {
  test('has the same loss on a batch that is cut, ranges included', async () => {
    const classifier = buildClassifier(RECIPE, 'power', TINY_VOCABULARY, TINY_LABELS);
    const short = selectQuestions(questions, [0, 1, 2, 3]);
    const cut = { ...short, maxTokens: 4, ids: Int32Array.from({ length: 16 }, (_, i) => short.ids[8 * (i >> 2) + (i & 3)] ?? 0) };
    const strict: Recipe = { ...RECIPE, rangeTargets: { reciprocal: 0.101, rsqrt: 0.51, gelu: 0.1 } };
    const lossOf = ({ ids, count, maxTokens, labels }: typeof short): number =>
      tf.tidy(() => {
        const ones = { embedding: new Float32Array(ids.length * 8).fill(1), pooled: new Float32Array(count * 8).fill(1) };
        return trainingLoss(classifier, { ids, labels, count, maxTokens }, ones, strict).dataSync()[0] ?? Number.NaN;
      });
    expect(lossOf(cut)).toBeCloseTo(lossOf(short), 4);
    classifier.dispose();
  });

  test('leaves the biases of blocks at zero, so that padding stays zero', async () => {
    const classifier = await trained('power');
    const biases = classifier.model.layers
      .filter(({ name }) => name.startsWith('block_'))
      .flatMap(({ weights }) => weights.filter(({ originalName }) => /bias|beta/.test(originalName)));
    expect(biases).toHaveLength(10);
    for (const bias of biases) expect(new Set(bias.read().dataSync())).toEqual(new Set([0]));
    classifier.dispose();
  });

  test('begins with the token vectors given, at the scale of random ones', () => {
    const vectors = Float32Array.from({ length: TINY_VOCABULARY * 8 }, (_, i) => (i % 2 === 0 ? 3 : -3));
    const classifier = buildClassifier(RECIPE, 'power', TINY_VOCABULARY, TINY_LABELS, vectors);
    expect([...classifier.embeddingWeights().token.subarray(0, 2)]).toEqual([0.5, -0.5]);
    classifier.dispose();
  });

  test('leaves no tensors behind', async () => {
    (await trained('power')).dispose();
    const before = tf.memory().numTensors;
    const classifier = await trained('power');
    convertClassifier(classifier, questions, RECIPE, 'tiny').model.dispose();
    classifier.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

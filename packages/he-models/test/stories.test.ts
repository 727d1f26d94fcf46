import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { UsageError } from '../src/errors.js';
import { pipeline } from '../src/index.js';
import { parseLlamaCheckpoint } from '../src/llama/checkpoint.js';
import { seededRandom } from '../src/random.js';
import type { TrainOptions } from '../src/train/options.js';
import { runStoryTraining, type StorySummary } from '../src/train/stories/run_stories.js';
import { consecutiveWindows, evaluationBatches, randomWindows } from '../src/train/stories/story_data.js';
import { STORIES_RECIPE, type StoryRecipe } from '../src/train/stories/story_recipe.js';
import { storyModels } from '../src/train/stories/story_student.js';
import { startWasm } from '../src/train/wasm.js';
import { continueText } from '../src/use/continue_text.js';
import { TINY_LLAMA, tinyLlamaBytes, tinyVocabularyBytes } from './tiny_llama.js';

const TINY: StoryRecipe = {
  ...STORIES_RECIPE,
  tokens: 4,
  epochs: 2,
  stepsPerEpoch: 3,
  batchSize: 8,
  sampledTokens: 100,
  heldOutTokens: 60,
  conversion: { calibrationWindows: 60, margin: { reciprocal: 2, rsqrt: 2, silu: 1.5 }, bits: 6, valueBits: 12 },
};
const STREAM = Int32Array.from({ length: 20 }, (_, index) => index);
const quiet = { update: () => {}, log: () => {}, clear: () => {} };
let root: string;
let options: TrainOptions;
let summary: StorySummary;

beforeAll(async () => {
  await startWasm();
  root = await mkdtemp(join(tmpdir(), 'he-models-stories-'));
  await mkdir(join(root, 'data', 'stories260k'), { recursive: true });
  await mkdir(join(root, 'data', 'text'));
  await writeFile(join(root, 'data', 'stories260k', 'stories260K.bin'), tinyLlamaBytes({ layers: 1 }));
  await writeFile(join(root, 'data', 'stories260k', 'tok512.bin'), tinyVocabularyBytes());
  await writeFile(join(root, 'data', 'text', 'tinystories-sample.txt'), 'the cat at the heat. '.repeat(20));
  options = {
    dataset: 'stories260k',
    data: join(root, 'data'),
    vocabulary: undefined,
    checkpoints: join(root, 'checkpoints'),
    json: true,
    variant: 'both',
    out: join(root, 'model'),
    fresh: false,
    epochs: undefined,
    seed: undefined,
  };
  summary = await runStoryTraining(options, TINY, quiet);
});
afterAll(() => rm(root, { recursive: true }));

describe('windows', () => {
  test('are followed by what comes next in the stream', () => {
    const { inputs, targets, count } = randomWindows(STREAM, 9, 4, seededRandom(1));
    expect(count).toBe(9);
    expect([...targets]).toEqual([...inputs].map((token) => token + 1));
  });

  test('cover a stream once, as far as they fit', () => {
    expect([...consecutiveWindows(STREAM, 6).inputs]).toEqual([...STREAM.subarray(0, 18)]);
    expect(evaluationBatches(STREAM, 6).flatMap(({ inputs }) => [...inputs])).toEqual([...STREAM.subarray(0, 18)]);
  });
});

describe('the student', () => {
  const checkpoint = parseLlamaCheckpoint(tinyLlamaBytes({ layers: 1 }));

  test('starts with scores whose powers are of the size of epsilon', () => {
    const text = consecutiveWindows(
      Int32Array.from({ length: 401 }, (_, index) => (index * 37) % 270),
      TINY.tokens,
    );
    const { student, dispose } = storyModels(checkpoint, TINY, text);
    const again = storyModels(checkpoint, { ...TINY, scoreLevel: 16 * TINY.scoreLevel }, text);
    const query = (model: typeof student) => model.getLayer('block_0').getWeights()[0]!.dataSync()[0]!;
    // Sixteen times the level of the fourth powers is twice the queries.
    expect(query(again.student) / query(student)).toBeCloseTo(2, 4);
    dispose();
    again.dispose();
  });
});

describe('training', () => {
  test('reports losses of the three forms, which training brings closer', async () => {
    const long = await runStoryTraining(
      { ...options, checkpoints: join(root, 'long'), out: join(root, 'long-model') },
      { ...TINY, epochs: 1, stepsPerEpoch: 40, learningRate: 1e-2 },
      quiet,
    );
    expect(long.loss.softmax).toBe(summary.loss.softmax);
    expect(Math.abs(long.loss.powerSoftmax - long.loss.softmax)).toBeLessThan(Math.abs(summary.loss.powerSoftmax - summary.loss.softmax));
    expect(Math.abs(long.loss.polynomial - long.loss.powerSoftmax)).toBeLessThan(0.1);
  });

  test('run again, it goes on from its checkpoint, ends with the same weights and leaves no tensors behind', async () => {
    const before = tf.memory().numTensors;
    const weights = (folder: string) => readFile(join(root, folder, 'weights.bin'));
    await runStoryTraining({ ...options, out: join(root, 'again') }, TINY, quiet);
    expect(await weights('again')).toEqual(await weights('model'));
    expect(tf.memory().numTensors).toBe(before);
  });

  test('writes a model of a shorter context from the same checkpoint', async () => {
    const { loss } = await runStoryTraining({ ...options, context: 3, out: join(root, 'short') }, TINY, quiet);
    const { inputShape } = JSON.parse(await readFile(join(root, 'short', 'he.json'), 'utf8'));
    expect(inputShape).toEqual([1, 3, TINY_LLAMA.features]);
    expect(Math.abs(loss.polynomial - loss.powerSoftmax)).toBeLessThan(0.1);
  });

  test('refuses a context that it was not trained on', async () => {
    await expect(runStoryTraining({ ...options, context: 5 }, TINY, quiet)).rejects.toThrow(UsageError);
  });

  test('refuses variants', async () => {
    await expect(runStoryTraining({ ...options, variant: 'power' }, TINY, quiet)).rejects.toThrow(UsageError);
  });
});

describe('pipeline with a language model', () => {
  test('writes under simulated encryption what it writes in the clear', async () => {
    const written: string[] = [];
    for (const fhe of ['disable', 'simulate'] as const) {
      const generate = await pipeline('text-generation', join(root, 'model'), { fhe, seed: 1 });
      const [generation] = await generate('the cat', { max_new_tokens: 2 });
      written.push(generation?.generated_text ?? '');
      generate.dispose();
    }
    expect(written[0]).toMatch(/^the cat./s);
    expect(written[1]).toBe(written[0]);
  });
});

describe('continueText', () => {
  const CONTEXT = 3;
  const VOCABULARY = 10;
  /** The successor of a token is the next number; of the last place, that is. */
  const counting = (seen: (readonly number[])[]) => ({
    context: CONTEXT,
    vocabularySize: VOCABULARY,
    logits: async (ids: readonly number[]) => {
      seen.push(ids);
      return Float32Array.from({ length: CONTEXT * VOCABULARY }, (_, k) => {
        const row = Math.floor(k / VOCABULARY);
        return row < ids.length && k % VOCABULARY === (ids[row]! + 1) % VOCABULARY ? 1 : 0;
      });
    },
  });

  test('takes each token from the last ones that fit', async () => {
    const seen: (readonly number[])[] = [];
    expect(await continueText([4, 5], 3, counting(seen))).toEqual([6, 7, 8]);
    expect(seen).toEqual([
      [4, 5],
      [4, 5, 6],
      [5, 6, 7],
    ]);
  });

  test('ends where another text begins', async () => {
    expect(await continueText([8], 9, counting([]))).toEqual([9, 0]);
  });
});

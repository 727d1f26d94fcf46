import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { CheckpointError, InputError } from '../src/errors.js';
import { seededRandom } from '../src/random.js';
import { percent } from '../src/train/card.js';
import type { TrainingState } from '../src/train/checkpoint.js';
import { accuracy } from '../src/train/metrics.js';
import { drawBatches, noisyPatches, patchesOf } from '../src/train/patches/patch_batches.js';
import { buildPatchClassifier } from '../src/train/patches/patch_classifier.js';
import { convertPatchClassifier, polynomialLogits, runPatchTraining } from '../src/train/patches/run_patches.js';
import { trainPatches } from '../src/train/patches/train_patches.js';
import { trainedLogits } from '../src/train/patches/train_variant.js';
import type { Variant } from '../src/train/recipe.js';
import { train } from '../src/train/train.js';
import { startWasm } from '../src/train/wasm.js';
import { pipeline } from '../src/use/pipeline.js';
import { TINY_PATCH_RECIPE, TINY_TASK, tinyPictures } from './tiny_images.js';

const pictures = tinyPictures(96, 1);
const quiet = { update: () => {}, log: () => {}, clear: () => {} };
let root: string;

beforeAll(async () => {
  await startWasm();
  root = await mkdtemp(join(tmpdir(), 'he-models-patches-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('drawBatches', () => {
  const draw = (labels: readonly number[], classPower: number, examplesPerEpoch = 400) =>
    drawBatches(labels, { batchSize: 10, examplesPerEpoch, classPower }, seededRandom(5)).flat();

  test('takes every example of a class before any a second time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 }), (labels) => {
        const drawn = draw(labels, 0.5);
        const times = labels.map((_, index) => drawn.filter((other) => other === index).length);
        for (const label of new Set(labels)) {
          const own = times.filter((_, index) => labels[index] === label);
          expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1);
        }
      }),
      { seed: 2, numRuns: 40 },
    );
  });

  test.each([
    [0, 0.5],
    [0.5, 0.25],
    [1, 0.1],
  ])('with classPower %d draws a tenth of the data %d of the time', (classPower, share) => {
    const labels = Array.from({ length: 100 }, (_, index) => (index < 10 ? 1 : 0));
    const rare = draw(labels, classPower, 4000).filter((index) => index < 10).length / 4000;
    expect(Math.abs(rare - share)).toBeLessThan(0.03);
  });
});

test('noise without shift and gain is none', () => {
  const recipe = { ...TINY_PATCH_RECIPE, maxShift: [0, 0] as const, gain: 0 };
  const indices = [3, 1];
  expect(noisyPatches(pictures, indices, recipe, seededRandom(1))).toEqual(patchesOf(pictures, indices, recipe.architecture.grid));
});

describe('trainPatches', () => {
  async function trained(variant: Variant, epochs: number, from?: TrainingState) {
    const recipe = { ...TINY_PATCH_RECIPE, epochs };
    const classifier = buildPatchClassifier(recipe, variant, 2);
    const states: TrainingState[] = [];
    await trainPatches(classifier, pictures, recipe, { onEpoch: async (state) => void states.push(state) }, from);
    const share = accuracy(trainedLogits(classifier, pictures, recipe), pictures.labels);
    classifier.dispose();
    return { states, share };
  }

  test.each(['power', 'softmax'] as const)('learns a separable task with %s', async (variant) => {
    expect((await trained(variant, 8)).share).toBe(1);
  });

  test.each([4, 0])('learns it with queries in place of self-attention, a feed-forward network of %d', async (hiddenDim) => {
    const architecture = { ...TINY_PATCH_RECIPE.architecture, head: 'queries', numHeads: 3, keyDim: 2, hiddenDim } as const;
    const recipe = { ...TINY_PATCH_RECIPE, architecture, epochs: 12 };
    const classifier = buildPatchClassifier(recipe, 'power', 2);
    await trainPatches(classifier, pictures, recipe);
    expect(accuracy(trainedLogits(classifier, pictures, recipe), pictures.labels)).toBe(1);
    const weights = classifier.embeddingWeights();
    const polynomial = convertPatchClassifier(classifier, pictures, recipe, 'tiny');
    expect(accuracy(polynomialLogits(polynomial, pictures, recipe, weights), pictures.labels)).toBe(1);
    expect(polynomial.model.inputs[0]?.shape).toEqual([null, 1, 8]);
    polynomial.model.dispose();
    classifier.dispose();
  });

  test('continued from a state, it ends as if it had not stopped, bit for bit', async () => {
    const whole = await trained('power', 3);
    const resumed = await trained('power', 3, whole.states[0]);
    expect(resumed.states.at(-1)).toEqual(whole.states.at(-1));
  });

  test('refuses the state of another model', async () => {
    const { states } = await trained('power', 1);
    const other = { ...states[0]!, parameters: states[0]!.parameters.slice(1) };
    await expect(trained('power', 2, other)).rejects.toThrow(CheckpointError);
  });

  test('leaves no tensors behind', async () => {
    const before = tf.memory().numTensors;
    await trained('power', 1);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test.each([
  ['ecg', 'self-attention, queries-8-feed-forward'],
  ['mnist', 'leave out --recipe'],
])('training %s by an unknown recipe names those there are', async (dataset, known) => {
  const args = [dataset, '--data', 'd', '--out', 'o', '--recipe', 'typo'];
  await expect(train(args, root, root, () => {}, quiet)).rejects.toThrow(known);
});

describe('a trained model of pictures', () => {
  const options = () => ({
    dataset: 'tiny',
    data: root,
    vocabulary: undefined,
    checkpoints: join(root, 'checkpoints'),
    out: join(root, 'model'),
    json: true,
    variant: 'both' as const,
    fresh: false,
    epochs: undefined,
    seed: undefined,
  });

  test('is written with a card of its figures, loads, and classifies encrypted', async () => {
    const summary = await runPatchTraining(TINY_TASK, { ...TINY_PATCH_RECIPE, epochs: 8 }, options(), quiet);
    expect(summary.accuracy).toEqual({ softmax: 1, powerSoftmax: 1, polynomial: 1 });
    expect(summary.agreement?.maxDifference).toBeLessThan(0.2);
    const card = await readFile(join(root, 'model', 'README.md'), 'utf8');
    expect(card).toContain(`| polynomial, as shipped | ${percent(1)} | ${percent(1)} |`);

    const classify = await pipeline('image-classification', join(root, 'model'), { fhe: 'simulate' });
    const { values } = tinyPictures(2, 9);
    const results = await classify([values.subarray(0, 24), Array.from(values.subarray(24))]);
    expect(results.map(([best]) => best?.label)).toEqual(['left', 'right']);
    await expect(classify(new Float32Array(23))).rejects.toThrow('24 finite numbers (4 rows of 6)');
    await expect(classify(new Float32Array(24).fill(1).fill(Number.NaN, 5))).rejects.toThrow('the value at index 5 is not one');
    await expect(classify(undefined as unknown as number[])).rejects.toThrow(InputError);
    classify.dispose();
  });
});

import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { identityOf, readCheckpoint, type TrainingState, writeCheckpoint } from '../src/train/checkpoint.js';
import { buildClassifier } from '../src/train/classifier.js';
import { accuracy, classifierLogits } from '../src/train/metrics.js';
import type { Recipe, Variant } from '../src/train/recipe.js';
import { train } from '../src/train/trainer.js';
import { startWasm } from '../src/train/wasm.js';
import { withFolder } from './temporary_folder.js';
import { TINY_LABELS, TINY_RECIPE, TINY_VOCABULARY, tinyQuestions } from './tiny_task.js';

const questions = tinyQuestions(48);

beforeAll(startWasm);

async function run(recipe: Recipe, variant: Variant = 'power', from?: TrainingState) {
  const classifier = buildClassifier(recipe, variant, TINY_VOCABULARY, TINY_LABELS);
  const states: TrainingState[] = [];
  await train(classifier, questions, recipe, { onEpoch: async (state) => void states.push(state) }, from);
  const share = accuracy(classifierLogits(classifier, questions), questions.labels);
  classifier.dispose();
  return { states, share };
}

describe('train', () => {
  test.each(['power', 'softmax'] as const)('learns a separable task with %s', async (variant) => {
    expect((await run({ ...TINY_RECIPE, epochs: 20 }, variant)).share).toBe(1);
  });

  test('repeats bit for bit under a seed', async () => {
    expect((await run(TINY_RECIPE)).states.at(-1)).toEqual((await run(TINY_RECIPE)).states.at(-1));
  });

  test('depends on the seed', async () => {
    const [one, other] = [await run(TINY_RECIPE), await run({ ...TINY_RECIPE, seed: 12 })];
    expect(one.states.at(-1)?.parameters[0]?.values).not.toEqual(other.states.at(-1)?.parameters[0]?.values);
  });

  test('continued from a checkpoint file, it ends as if it had not stopped', async () => {
    const whole = await run(TINY_RECIPE);
    await withFolder(async (folder) => {
      const identity = identityOf(TINY_RECIPE, 'power', 'digest');
      await writeCheckpoint(`${folder}/power.json`, identity, whole.states[1]!);
      const resumed = await run(TINY_RECIPE, 'power', await readCheckpoint(`${folder}/power.json`, identity));
      expect(resumed.states).toHaveLength(2);
      expect(resumed.states.at(-1)).toEqual(whole.states.at(-1));
    });
  });

  test('interrupted, it ends between two steps, with the states of the epochs before', async () => {
    const classifier = buildClassifier(TINY_RECIPE, 'power', TINY_VOCABULARY, TINY_LABELS);
    const interrupt = new AbortController();
    const epochs: number[] = [];
    let last = 0;
    const events = {
      signal: interrupt.signal,
      onStep: ({ epoch, step }: { readonly epoch: number; readonly step: number }) => {
        last = step;
        if (epoch === 1) interrupt.abort(new Error('enough'));
      },
      onEpoch: async ({ epoch }: TrainingState) => void epochs.push(epoch),
    };
    await expect(train(classifier, questions, TINY_RECIPE, events)).rejects.toThrow('enough');
    classifier.dispose();
    const stepsPerEpoch = Math.floor(questions.count / TINY_RECIPE.batchSize);
    expect([epochs, last]).toEqual([[1], stepsPerEpoch + 1]);
  });

  test('leaves no tensors behind', async () => {
    const before = tf.memory().numTensors;
    await run({ ...TINY_RECIPE, epochs: 1 });
    expect(tf.memory().numTensors).toBe(before);
  });
});

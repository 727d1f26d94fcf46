import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { CheckpointError } from '../src/errors.js';
import { identityOf, readCheckpoint, type TrainingState, writeCheckpoint } from '../src/train/checkpoint.js';
import { withFolder } from './temporary_folder.js';
import { TINY_RECIPE } from './tiny_task.js';

const identity = identityOf(TINY_RECIPE, 'power', 'digest');
const state: TrainingState = {
  epoch: 2,
  step: 12,
  random: [1, -2, 3, -4],
  parameters: [{ name: 'w', values: Float32Array.of(0.1, -0), first: Float32Array.of(1e-20, 2), second: Float32Array.of(3, 4) }],
};

describe('checkpoint', () => {
  test('reads back what was written', async () => {
    await withFolder(async (folder) => {
      await writeCheckpoint(`${folder}/runs/power.json`, identity, state);
      expect(await readCheckpoint(`${folder}/runs/power.json`, identity)).toEqual(state);
    });
  });

  test('is undefined where there is none', async () => {
    await withFolder(async (folder) => {
      expect(await readCheckpoint(`${folder}/power.json`, identity)).toBeUndefined();
    });
  });

  test.each([
    ['recipe', identityOf({ ...TINY_RECIPE, learningRate: 1 }, 'power', 'digest')],
    ['variant', identityOf(TINY_RECIPE, 'softmax', 'digest')],
    ['data', identityOf(TINY_RECIPE, 'power', 'other')],
  ])('refuses one of another %s', async (_, other) => {
    await withFolder(async (folder) => {
      await writeCheckpoint(`${folder}/power.json`, identity, state);
      await expect(readCheckpoint(`${folder}/power.json`, other)).rejects.toThrow(CheckpointError);
    });
  });

  test('accepts another conversion, which comes after training', () => {
    const conversion = { ...TINY_RECIPE.conversion, margin: 2 };
    expect(identityOf({ ...TINY_RECIPE, conversion }, 'power', 'digest')).toEqual(identity);
  });

  test.each(['', '{"format":"he-models-checkpoint-1"}', '{"format":"other"}'])('refuses the damaged file %j', async (content) => {
    await withFolder(async (folder) => {
      await writeFile(`${folder}/power.json`, content);
      await expect(readCheckpoint(`${folder}/power.json`, identity)).rejects.toThrow('--fresh');
    });
  });
});

import { describe, expect, test } from '@jest/globals';
import { percent } from '../src/train/card.js';
import { PATCH_TASKS } from '../src/train/patches/patch_tasks.js';
import { shippedCard, shippedConfig } from './shipped_models.js';

describe.each(Object.values(PATCH_TASKS))('the card of $name', ({ name, recipe }) => {
  test('states the figures of the configuration', async () => {
    const [card, config] = [await shippedCard(name), await shippedConfig(name)];
    for (const form of ['softmax', 'powerSoftmax', 'polynomial'] as const) {
      expect(card).toContain(`| ${percent(config.accuracy[form])} | ${percent(config.macroF1[form])} |`);
    }
    expect(card).toContain(`seed ${config.recipe.seed}`);
    expect(card).toContain(`${config.outsideIntervals} of ${config.approximatedValues} values are outside`);
  });

  test('is of the recipe that trains it today', async () => {
    expect((await shippedConfig(name)).recipe).toEqual(recipe);
  });
});

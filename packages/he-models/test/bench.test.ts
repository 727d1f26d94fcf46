import { beforeAll, describe, expect, test } from '@jest/globals';
import { approximationRow } from '../src/bench/approximations.js';
import { GROWTH, growthRow } from '../src/bench/growth.js';
import { buildClassifier } from '../src/train/classifier.js';
import { train } from '../src/train/trainer.js';
import { startWasm } from '../src/train/wasm.js';
import { median } from '../src/use/median.js';
import { TINY_LABELS, TINY_RECIPE, TINY_VOCABULARY, tinyQuestions } from './tiny_task.js';

beforeAll(startWasm);

describe('growth', () => {
  const sizes = { tokens: 4, features: 8, blocks: 1 };

  test('twice the blocks take twice the refreshes, and less than twice the levels and key switches more', async () => {
    const [one, two] = [await growthRow('blocks', sizes, 0), await growthRow('blocks', { ...sizes, blocks: 2 }, 0)];
    expect(two.refreshes).toBeGreaterThan(one.refreshes!);
    expect(two.depth! - one.depth!).toBeGreaterThan(10);
    expect(two.depth! - one.depth!).toBeLessThanOrEqual(one.depth!);
    expect(two.keySwitches).toBeGreaterThan(1.5 * one.keySwitches!);
    expect(two.predictedMs).toBeGreaterThan(one.predictedMs!);
  });

  test('is deterministic', async () => {
    expect(await growthRow('tokens', sizes, 0)).toEqual(await growthRow('tokens', sizes, 0));
  });

  test('of more threads predicts less time, and measures with as many', async () => {
    const small = { tokens: 4, features: 4, blocks: 1 };
    const [one, two] = [await growthRow('tokens', small, 0, { threads: 1 }), await growthRow('tokens', small, 1, { threads: 2 })];
    expect(two.predictedMs).toBeLessThan(one.predictedMs!);
    expect(two).toMatchObject({ threads: 2, keySwitches: one.keySwitches });
    expect(two.measuredMs).toBeGreaterThan(0);
    expect(one).not.toHaveProperty('measuredMs');
  });

  test('covers the sizes that the tables are of', () => {
    expect([GROWTH.tokens, GROWTH.features, GROWTH.blocks].map((values) => [values[0], values.at(-1)])).toEqual([
      [16, 128],
      [32, 256],
      [1, 8],
    ]);
  });
});

describe('approximations', () => {
  test('higher degrees are deeper, and closer to the trained form', async () => {
    const questions = tinyQuestions(48);
    const classifier = buildClassifier(TINY_RECIPE, 'power', TINY_VOCABULARY, TINY_LABELS);
    await train(classifier, questions, TINY_RECIPE);
    const row = (reciprocal: number, rsqrt: number, gelu: number) =>
      approximationRow(classifier, { train: questions, dev: questions }, TINY_RECIPE, { reciprocal, rsqrt, gelu }, false);
    const [low, high] = [await row(1, 1, 2), await row(7, 7, 7)];
    expect(high.depth).toBeGreaterThan(low.depth);
    expect(high.sameTop1).toBeGreaterThanOrEqual(low.sameTop1);
    expect(high.sameTop1).toBeGreaterThan(0.95);
    classifier.dispose();
  });
});

test('the median of an even number of values is the mean of the middle two', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  expect(median([])).toBeNaN();
});

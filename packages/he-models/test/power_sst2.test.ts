import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ClassificationPipeline } from '../src/index.js';
import { parseConfig } from '../src/pretrained/parse_config.js';
import { percent } from '../src/train/card.js';
import { SST2_RECIPE } from '../src/train/sst2/sst2_recipe.js';
import { startWasm } from '../src/train/wasm.js';
import { pipeline } from '../src/use/pipeline.js';
import { shippedCard } from './shipped_models.js';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'models', 'power-sst2');
const config = async () => JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));

describe('power-sst2', () => {
  let classify: ClassificationPipeline<string>;
  beforeAll(async () => {
    await startWasm();
    classify = await pipeline('text-classification', 'power-sst2', { fhe: 'disable' });
  });

  test.each([
    ['A moving, beautifully acted film.', 'positive'],
    ['Dull, overlong and utterly predictable.', 'negative'],
    ["I loved every minute of it, and you can't help laughing.", 'positive'],
    ['The plot is a mess and the jokes fall flat.', 'negative'],
  ])('finds %j %s', async (text, label) => {
    expect((await classify(text))[0]?.label).toBe(label);
  });

  test('says the same of a text whatever else is in the batch', async () => {
    const [short, long] = ['Superb!', 'a film that is, in the end, rather less than the sum of its many and expensive parts'];
    expect((await classify([short, long]))[0]).toEqual(await classify(short));
  });

  test('holds what was promised: 80% as a polynomial, at most 1 point below softmax', async () => {
    const { accuracy, devQuestions } = await config();
    expect(devQuestions).toBe(872);
    expect(accuracy.polynomial).toBeGreaterThanOrEqual(0.8);
    expect(accuracy.softmax - accuracy.polynomial).toBeLessThanOrEqual(0.01);
  });

  test('is of the recipe that trains it today, and its card states the figures', async () => {
    const [card, shipped] = [await shippedCard('power-sst2'), await config()];
    expect(parseConfig(shipped).name).toBe('power-sst2');
    expect(shipped.recipe).toEqual(SST2_RECIPE);
    for (const share of Object.values<number>(shipped.accuracy)) expect(card).toContain(`| ${percent(share)} |`);
    expect(card).toContain(`${shipped.outsideIntervals} of ${shipped.approximatedValues} values are outside`);
  });
});

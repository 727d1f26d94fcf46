import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { withLatencyTable } from '../src/cards/latency_table.js';
import { readShipped, shippedCard as renderedCard, type ShippedFolder } from '../src/cards/shipped_cards.js';
import { countsOf, simulatedPlan } from '../src/cards/simulated_run.js';
import { PRETRAINED_NAMES } from '../src/pretrained/registry.js';
import { percent } from '../src/train/card.js';
import { PATCH_TASKS } from '../src/train/patches/patch_tasks.js';
import { startWasm } from '../src/train/wasm.js';
import { measureAgreement } from '../src/use/agreement.js';
import { shippedCard, shippedConfig } from './shipped_models.js';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const shipped = (name: string): Promise<ShippedFolder> => readShipped(join(packageRoot, 'models', name));

// npm run figures brings all of these up to date.
describe.each(PRETRAINED_NAMES)('the card of %s', (name) => {
  test('is what its configuration and its figures say, to the letter', async () => {
    const folder = await shipped(name);
    expect(folder.figures).toBeDefined();
    expect(await shippedCard(name)).toBe(renderedCard(name, folder));
  });

  test('says under encryption what the model says in the clear, where it was measured', async () => {
    const { figures } = await shipped(name);
    for (const run of [figures?.simulate, figures?.execute]) expect(run?.sameTop1 ?? 1).toBeGreaterThanOrEqual(0.99);
  });
});

// The two large ones take half a minute each to compile: npm run figures -- --check does so.
describe.each(['power-banking77', 'power-ecg', 'power-mnist-vit'] as const)('%s', (name) => {
  beforeAll(startWasm);

  test('compiles to what its card and he.json say, and says in simulation what it says in the clear', async () => {
    const { he, figures } = await shipped(name);
    const plan = await simulatedPlan(name);
    expect(countsOf(plan)).toEqual(figures && countsOf(figures.plan));
    expect(he.depth).toBe(plan.depth);
  }, 60_000);
});

test('power-ecg on ciphertexts says what it says in the clear', async () => {
  const beat = Float32Array.from({ length: 128 }, (_, i) => 220 * Math.exp(-(((i - 48) / 3) ** 2)));
  const report = await measureAgreement('power-ecg', [{ input: beat, label: 'N' }], { fhe: 'execute' });
  expect(report).toMatchObject({ sameTop1: 1, accuracy: report.clearAccuracy });
  expect(report.leastBits).toBeGreaterThan(8);
}, 60_000);

test('the table of the README has the measured figures', async () => {
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
  expect(readme).toBe(withLatencyTable(readme, await Promise.all(PRETRAINED_NAMES.map(shipped))));
});

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

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { convertFolder } from '../src/convert.js';
import { DataError, ModelUnavailableError, UsageError } from '../src/errors.js';
import { pipeline } from '../src/index.js';
import { type FineTuningSummary, fineTune } from '../src/train/fine_tune/fine_tune.js';
import { FINE_TUNING_RECIPE, type FineTuningRecipe } from '../src/train/fine_tune/fine_tuning_recipe.js';
import { parseTableOptions } from '../src/train/train_table.js';
import { startWasm } from '../src/train/wasm.js';
import { writeTogether } from '../src/write_together.js';
import { tinyBert, tinyNeox, writeCheckpoint } from './tiny_checkpoints.js';

const RECIPE: FineTuningRecipe = {
  ...FINE_TUNING_RECIPE,
  learningRate: 0.03,
  batchSize: 8,
  conversion: { calibration: 24, margin: { reciprocal: 2, rsqrt: 1.5, gelu: 1.5 }, bits: 5 },
};
/** Ten times as many letters of cats as of seats; quoted commas, an empty row, one without a label, and one in another language. */
const WORDS = ['the cat sat', 'a cat, cats', 'cat on a cat', 'cats sat on the cats', 'cat'];
const SEATS = ['on the .', 'sat on the', 'the, on the', 'sat', 'on . on'];
const CSV = [
  'id,letter,kind',
  ...Array.from({ length: 100 }, (_, i) => `${i},"${'a '.repeat(i % 3)}${WORDS[i % 5]}",feline`),
  ...Array.from({ length: 10 }, (_, i) => `${i},"${SEATS[i % 5]}",seat`),
  ',,',
  '111,the cat,',
  '112,ночь,feline',
].join('\n');
const quiet = { update: () => {}, log: () => {}, clear: () => {} };
let root: string;
let summary: FineTuningSummary;

const optionsOf = (out: string, from = 'converted', ...more: string[]) => {
  const table = ['--train', 'letters.csv', '--text', 'letter', '--label', 'kind'];
  const { from: folder = '', ...options } = parseTableOptions(
    ['--task', 'text-classification', '--from', from, ...table, '--out', out, '--epochs', '3', ...more],
    root,
  );
  return { from: folder, ...options };
};

async function converted(name: string, checkpoint: ReturnType<typeof tinyBert>, attention: 'power' | 'softmax' = 'power'): Promise<void> {
  await writeCheckpoint(join(root, `${name}-checkpoint`), checkpoint);
  const form = attention === 'softmax' ? { attention } : ({ attention, p: 2, epsilon: 0.5, normEpsilon: 0.5 } as const);
  const { files } = await convertFolder(join(root, `${name}-checkpoint`), { name, form, tokens: 8 });
  await writeTogether(join(root, name), files);
}

beforeAll(async () => {
  await startWasm();
  root = await mkdtemp(join(tmpdir(), 'he-models-fine-tune-'));
  await writeFile(join(root, 'letters.csv'), CSV);
  const sizes = { num_hidden_layers: 1, hidden_size: 8, intermediate_size: 8, num_attention_heads: 1 };
  await converted('converted', tinyBert('bert', sizes));
  summary = await fineTune(optionsOf('letters'), quiet, RECIPE);
});
afterAll(() => rm(root, { recursive: true }));

describe('a converted checkpoint trained on a table', () => {
  test('tells the labels apart, rare ones too, as a polynomial', () => {
    expect(summary).toMatchObject({ model: 'letters', from: 'converted', devQuestions: 11, skippedRows: 3 });
    expect(summary.accuracy).toEqual({ powerSoftmax: 1, polynomial: 1 });
    expect(summary.classes.perLabel.map(({ label, f1 }) => [label, f1])).toEqual([
      ['feline', 1],
      ['seat', 1],
    ]);
  });

  test('stays inside the intervals of its polynomials', () => {
    expect(summary.outsideIntervals).toBe(0);
    expect(summary.approximatedValues).toBeGreaterThan(0);
  });

  test('runs encrypted in pipeline', async () => {
    const classify = await pipeline('text-classification', join(root, 'letters'), { fhe: 'simulate', seed: 1 });
    expect((await classify('the cat sat on the cat'))[0]?.label).toBe('feline');
    expect((await classify('the, on the'))[0]?.label).toBe('seat');
    classify.dispose();
  });

  test('has a card with its figures and its command', async () => {
    const card = await readFile(join(root, 'letters', 'README.md'), 'utf8');
    expect(card).toContain('--train letters.csv --text letter --label kind --out letters --epochs 3 --seed 1 --from converted');
    expect(card).toContain('| polynomial, as shipped | 100.00% | 100.00% |');
    expect(card).toContain('| seat | 1 | 100.00% |');
    expect(card).toContain('Trained on 99 rows; 3 were left out');
    const { accuracy, from, labels } = JSON.parse(await readFile(join(root, 'letters', 'config.json'), 'utf8'));
    expect({ accuracy, from, labels }).toEqual({ accuracy: summary.accuracy, from: 'converted', labels: ['feline', 'seat'] });
  });

  test('interrupted, goes on from its last epoch and ends with the same weights', async () => {
    const until = async (epoch: number) => {
      const controller = new AbortController();
      const lines: string[] = [];
      const log = (line: string): void => {
        lines.push(line);
        if (line.startsWith(`epoch ${epoch}`)) controller.abort(new Error('stop'));
      };
      await expect(fineTune(optionsOf('again'), { ...quiet, log, signal: controller.signal }, RECIPE)).rejects.toThrow('stop');
      return lines;
    };
    await until(1);
    expect(await readdir(root)).not.toContain('again');
    expect(await until(3)).toContain('continuing after epoch 1 of 3');
    const state = (folder: string) => readFile(join(root, `${folder}.checkpoints`, 'power.json'), 'utf8');
    expect(await state('again')).toBe(await state('letters'));
  });
});

describe('fineTune refuses', () => {
  test.each<[string, string, new (...args: never[]) => Error, RegExp]>([
    ['a softmax model', 'softmax', UsageError, /--keep-softmax/],
    ['a language model', 'neox', UsageError, /continues texts/],
    ['a polynomial', 'letters', UsageError, /leave out --calibration/],
    ['a checkpoint that is not converted', 'converted-checkpoint', ModelUnavailableError, /he-models convert/],
  ])('%s, and leaves nothing behind', async (_, from, error, message) => {
    if (from === 'softmax') await converted('softmax', tinyBert(), 'softmax');
    if (from === 'neox') await converted('neox', tinyNeox());
    const attempt = fineTune(optionsOf('refused', from), quiet, RECIPE);
    await expect(attempt).rejects.toThrow(error);
    await expect(attempt).rejects.toThrow(message);
    expect(await readdir(root)).not.toContain('refused');
  });

  test('a table without the column', async () => {
    const options = optionsOf('refused', 'converted', '--text', 'body');
    await expect(fineTune(options, quiet, RECIPE)).rejects.toThrow(DataError);
  });

  test('--tokens, which the checkpoint has decided', () => {
    expect(() => optionsOf('refused', 'converted', '--tokens', '9')).toThrow(UsageError);
  });
});

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DataError, UsageError } from '../src/errors.js';
import { prepareTable } from '../src/train/prepare.js';
import { parseTableOptions, trainTable } from '../src/train/train_table.js';
import { pipeline } from '../src/use/pipeline.js';
import { withFolder } from './temporary_folder.js';
import { TINY_RECIPE } from './tiny_task.js';

const quiet = { update: () => {}, log: () => {}, clear: () => {} };
const parse = (...args: string[]) => parseTableOptions(['--task', 'text-classification', ...args], '/home/user');

describe('options of a table', () => {
  test('have defaults beside the new model', () => {
    expect(parse('--train', 'mail.csv', '--out', 'mail')).toEqual({
      file: '/home/user/mail.csv',
      from: undefined,
      columns: { text: 'text', label: 'label' },
      out: '/home/user/mail',
      checkpoints: '/home/user/mail.checkpoints',
      epochs: undefined,
      seed: undefined,
      fresh: false,
      balanced: true,
      tokens: undefined,
      json: false,
    });
  });

  test.each([
    ['no table', ['--out', 'x'], '--train'],
    ['no folder', ['--train', 'x.csv'], '--out'],
    ['a data set besides', ['banking77', '--train', 'x.csv', '--out', 'x'], 'banking77'],
    ['one column for both', ['--train', 'x.csv', '--out', 'x', '--label', 'text'], 'must be two'],
    ['another task', ['--task', 'translation', '--train', 'x.csv', '--out', 'x'], 'text-classification'],
  ])('refuse %s', (_, args, mention) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(mention);
  });
});

describe('a prepared table', () => {
  const rows = [
    ...Array.from({ length: 30 }, (_, i) => `much ${i},often`),
    ...Array.from({ length: 9 }, (_, i) => `little ${i},seldom`),
    'once,rare',
    '\ufe0f,often',
    '"one, two three four five six seven",seldom',
  ];
  const table = ['text,label', ...rows].join('\n');
  const columns = { text: 'text', label: 'label' };
  const prepared = prepareTable(table, columns, TINY_RECIPE);
  const countOf = ({ train }: typeof prepared, label: string) =>
    [...train.labels].filter((index) => prepared.labels[index] === label).length;

  test('repeats the rows of rare labels, at most ten times', () => {
    expect(prepared.trainRows).toBe(27 + 9 + 1);
    expect(['often', 'rare', 'seldom'].map((label) => countOf(prepared, label))).toEqual([27, 10, 27]);
  });

  test('has the rows as they are if asked to', () => {
    expect(countOf(prepareTable(table, columns, TINY_RECIPE, false), 'seldom')).toBe(9);
  });

  test('leaves out texts without tokens, and counts those that are cut off and labels that are not measured', () => {
    expect(prepared).toMatchObject({ skipped: 1, cutOff: 1, unmeasured: ['rare'] });
  });
});

describe('trainTable', () => {
  // Ten times as many angry letters as happy ones; a row without a label, and one without a text.
  const anger = ['I am angry, very', 'so angry'];
  const csv = [
    'id,letter,my mood',
    ...Array.from({ length: 60 }, (_, i) => `${i},"${anger[i % 2]} ${'abcdef'[i % 6]}",bad`),
    ...Array.from({ length: 6 }, (_, i) => `${60 + i},"happy, happy me ${'abcdef'[i]}",good`),
    '66,lost,',
    '67,,bad',
  ].join('\n');

  test('ends in a model that pipeline loads, with a card of the command', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'letters.csv'), csv);
      const args = ['--train', join(folder, 'letters.csv'), '--text', 'letter', '--label', 'my mood', '--out', join(folder, 'moods')];
      const summary = await trainTable(parse(...args, '--epochs', '12', '--seed', '3', '--tokens', '7'), quiet, TINY_RECIPE);
      expect(summary).toMatchObject({ model: 'moods', skippedRows: 2, devQuestions: 7, accuracy: { polynomial: 1 } });
      expect(summary.classes).toEqual({
        macroF1: { softmax: 1, powerSoftmax: 1, polynomial: 1 },
        mostFrequent: { label: 'bad', share: 6 / 7 },
        perLabel: [
          { label: 'bad', questions: 6, f1: 1 },
          { label: 'good', questions: 1, f1: 1 },
        ],
      });
      const classify = await pipeline('text-classification', join(folder, 'moods'), { fhe: 'simulate', seed: 1 });
      expect((await classify('happy, happy me'))[0]?.label).toBe('good');
      expect((await classify('angry, I am'))[0]?.label).toBe('bad');
      classify.dispose();
      const card = await readFile(join(folder, 'moods', 'README.md'), 'utf8');
      expect(card).toContain(
        'he-models train --task text-classification --train letters.csv --text letter --label "my mood" --out moods --epochs 12 --seed 3 --tokens 7',
      );
      expect(card).toContain('At most 7 tokens');
      expect(card).toContain('Saying "bad" every time would be right for 85.71% of them.');
      expect(card).toContain('| good | 1 | 100.00% |');
      expect(card).toContain('Trained on 59 rows; 2 were left out');
    });
  });

  test('interrupted, it leaves a checkpoint and nothing half-written; run again, it goes on from it', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'letters.csv'), csv);
      const args = ['--train', join(folder, 'letters.csv'), '--text', 'letter', '--label', 'my mood', '--out', join(folder, 'moods')];
      const options = parse(...args, '--epochs', '2');
      const interrupt = new AbortController();
      const update = (step: number, steps: number): void => {
        if (step > steps / 2) interrupt.abort(new Error('enough'));
      };
      await expect(trainTable(options, { ...quiet, update, signal: interrupt.signal }, TINY_RECIPE)).rejects.toThrow('enough');
      expect((await readdir(folder)).sort()).toEqual(['letters.csv', 'moods.checkpoints']);
      expect(await readdir(join(folder, 'moods.checkpoints'))).toEqual(['power.json']);
      const lines: string[] = [];
      await trainTable(options, { ...quiet, log: (line) => void lines.push(line) }, TINY_RECIPE);
      expect(lines).toContain('power: continuing after epoch 1 of 2');
      expect(await readdir(join(folder, 'moods'))).toContain('config.json');
    });
  });

  test.each<[string, string | Uint8Array, string]>([
    ['without the column, and names those that are there', 'letter,mood\na,b\nc,d\n', 'it has letter, mood'],
    ['that is not UTF-8', Uint8Array.of(116, 101, 120, 116, 44, 0xe9, 10), 'UTF-8'],
    ['without rows', 'text,label\n\n\n', 'examples of at least two labels'],
  ])('refuses a table %s, and leaves nothing behind', async (_, content, mention) => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'x.csv'), content);
      const options = parse('--train', join(folder, 'x.csv'), '--out', join(folder, 'model'));
      await expect(trainTable(options, quiet)).rejects.toThrow(DataError);
      await expect(trainTable(options, quiet)).rejects.toThrow(mention);
      expect(await readdir(folder)).toEqual(['x.csv']);
    });
  });

  test('refuses a file as the folder of the model before it trains', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'x.csv'), csv);
      const options = parse('--train', join(folder, 'x.csv'), '--text', 'letter', '--label', 'mood', '--out', join(folder, 'x.csv'));
      await expect(trainTable(options, quiet)).rejects.toThrow(UsageError);
    });
  });

  test('refuses a table that is not there, and one with too few rows to hold one out', async () => {
    await withFolder(async (folder) => {
      const options = parse('--train', join(folder, 'none.csv'), '--out', join(folder, 'x'));
      await expect(trainTable(options, quiet)).rejects.toThrow(DataError);
      await writeFile(join(folder, 'none.csv'), 'text,label\na,b\nc,d\n');
      await expect(trainTable(options, quiet)).rejects.toThrow('five rows');
    });
  });
});

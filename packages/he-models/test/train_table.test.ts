import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DataError, UsageError } from '../src/errors.js';
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
      columns: { text: 'text', label: 'label' },
      out: '/home/user/mail',
      checkpoints: '/home/user/mail.checkpoints',
      epochs: undefined,
      seed: undefined,
      fresh: false,
      json: false,
    });
  });

  test.each([
    ['no table', ['--out', 'x'], '--train'],
    ['no folder', ['--train', 'x.csv'], '--out'],
    ['a data set besides', ['banking77', '--train', 'x.csv', '--out', 'x'], 'banking77'],
    ['another task', ['--task', 'translation', '--train', 'x.csv', '--out', 'x'], 'text-classification'],
  ])('refuse %s', (_, args, mention) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(mention);
  });
});

describe('trainTable', () => {
  // Twice as many angry letters as happy ones; a row without a label, and one without a text.
  const mood = ['I am angry, very', 'so angry', 'happy, happy me'];
  const csv = [
    'id,letter,mood',
    ...Array.from({ length: 60 }, (_, i) => `${i},"${mood[i % 3]} ${'abcdef'[i % 6]}",${i % 3 === 2 ? 'good' : 'bad'}`),
    '61,lost,',
    '62,,bad',
  ].join('\n');

  test('ends in a model that pipeline loads, with a card of the command', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'letters.csv'), csv);
      const args = ['--train', join(folder, 'letters.csv'), '--text', 'letter', '--label', 'mood', '--out', join(folder, 'moods')];
      const summary = await trainTable(parse(...args, '--epochs', '12', '--seed', '3'), quiet, TINY_RECIPE);
      expect(summary).toMatchObject({ model: 'moods', skippedRows: 2, devQuestions: 6, accuracy: { polynomial: 1 } });
      const classify = await pipeline('text-classification', join(folder, 'moods'), { fhe: 'disable' });
      expect((await classify('happy, happy me'))[0]?.label).toBe('good');
      expect((await classify('angry, I am'))[0]?.label).toBe('bad');
      classify.dispose();
      const card = await readFile(join(folder, 'moods', 'README.md'), 'utf8');
      expect(card).toContain(
        'he-models train --task text-classification --train letters.csv --text letter --label mood --epochs 12 --seed 3',
      );
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

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { banking77Split, parseQuestions, readQuestions } from '../src/data/banking77.js';
import { DataError } from '../src/errors.js';
import { withFolder } from './temporary_folder.js';

describe('parseQuestions', () => {
  test('reads quoted fields with commas, quotes and line breaks', () => {
    const csv = 'text,category\n"Hello, my ""new"" card\nhas not arrived",card_arrival\nWhy?,why\n';
    expect(parseQuestions(csv)).toEqual([
      { text: 'Hello, my "new" card\nhas not arrived', label: 'card_arrival' },
      { text: 'Why?', label: 'why' },
    ]);
  });

  test('skips a byte order mark and blank lines', () => {
    expect(parseQuestions('\ufefftext,category\r\n\r\nWhy?,why\r\n')).toEqual([{ text: 'Why?', label: 'why' }]);
  });

  test.each([
    ['a missing column', 'question,category\nWhy?,why\n'],
    ['an empty question', 'text,category\n" ",why\n'],
    ['a record of another length', 'text,category\nWhy?,why,more\n'],
    ['an open quote', 'text,category\n"Why?,why\n'],
  ])('refuses %s', (_, csv) => {
    expect(() => parseQuestions(csv)).toThrow(DataError);
  });
});

describe('reading from a folder', () => {
  test.each(['.', 'banking77'])('finds train.csv in %s', async (place) => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, place), { recursive: true });
      await writeFile(join(folder, place, 'train.csv'), 'text,category\nWhy?,why\n');
      expect(await readQuestions(folder)).toHaveLength(1);
    });
  });

  test('names the folder where there is no data', async () => {
    await withFolder(async (folder) => {
      await expect(readQuestions(folder)).rejects.toThrow(folder);
    });
  });

  test('holds out a tenth of every intent', async () => {
    await withFolder(async (folder) => {
      const lines = Array.from({ length: 40 }, (_, index) => `Question ${index},${index % 2 === 0 ? 'even' : 'odd'}`);
      await writeFile(join(folder, 'train.csv'), `text,category\n${lines.join('\n')}\n`);
      const { train, dev } = await banking77Split(folder);
      expect(train).toHaveLength(36);
      expect(dev.map(({ label }) => label).sort()).toEqual(['even', 'even', 'odd', 'odd']);
    });
  });
});

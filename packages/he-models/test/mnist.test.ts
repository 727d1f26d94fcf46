import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { mnistSplit } from '../src/data/mnist.js';
import { DataError } from '../src/errors.js';
import { withFolder } from './temporary_folder.js';
import { idx } from './tiny_images.js';

const PIXELS = 28 * 28;
const images = (count: number): Uint8Array =>
  idx(
    [count, 28, 28],
    Uint8Array.from({ length: count * PIXELS }, (_, i) => Math.floor(i / PIXELS)),
  );
const labels = (count: number): Uint8Array =>
  idx(
    [count],
    Array.from({ length: count }, (_, i) => i % 10),
  );

async function splitOf(files: { images?: Uint8Array; labels?: Uint8Array }) {
  let split: Awaited<ReturnType<typeof mnistSplit>> | undefined;
  await withFolder(async (folder) => {
    await mkdir(join(folder, 'mnist'));
    if (files.images !== undefined) await writeFile(join(folder, 'mnist', 'train-images-idx3-ubyte.gz'), files.images);
    if (files.labels !== undefined) await writeFile(join(folder, 'mnist', 'train-labels-idx1-ubyte.gz'), files.labels);
    split = await mnistSplit(folder);
  });
  return split!;
}

describe('mnistSplit', () => {
  test('holds out a tenth of each digit, and every picture keeps its label', async () => {
    const { train, dev } = await splitOf({ images: images(200), labels: labels(200) });
    expect([train.count, dev.count]).toEqual([180, 20]);
    expect([...dev.labels].sort()).toEqual(Array.from({ length: 20 }, (_, i) => i >> 1));
    for (const part of [train, dev]) {
      for (const [row, label] of part.labels.entries()) expect(part.values[row * PIXELS]! % 10).toBe(label);
    }
    const all = [...train.labels.keys()]
      .map((row) => train.values[row * PIXELS])
      .concat([...dev.labels.keys()].map((row) => dev.values[row * PIXELS]));
    expect(new Set(all).size).toBe(200);
  });

  test.each([
    ['no files', {}],
    ['no labels', { images: images(10) }],
    ['fewer labels than pictures', { images: images(10), labels: labels(9) }],
    ['labels beyond 9', { images: images(1), labels: idx([1], [10]) }],
    ['pictures of another size', { images: idx([1, 2, 2], [0, 0, 0, 0]), labels: labels(1) }],
    ['a file that is cut off', { images: idx([2, 28, 28], new Uint8Array(PIXELS)), labels: labels(2) }],
    ['a file of another rank', { images: labels(10), labels: labels(10) }],
    ['no gzip', { images: new Uint8Array(40), labels: labels(10) }],
  ])('refuses %s', async (_, files) => {
    await expect(splitOf(files)).rejects.toThrow(DataError);
  });
});

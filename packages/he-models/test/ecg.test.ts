import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { developmentInputs } from '../src/data/development.js';
import { BEAT_SAMPLES, ecgSplit, HEARTBEATS } from '../src/data/ecg.js';
import { DataError } from '../src/errors.js';
import { withFolder } from './temporary_folder.js';

/** Two beats per record; each sample of a beat is minus ten times its number, and its class its number modulo 5. */
const RECORDS = [230, 101, 115, 106, 208, 119];
const count = 2 * RECORDS.length;
const bytes = (array: Int16Array | Uint16Array): Uint8Array => new Uint8Array(array.buffer);
const samples = bytes(Int16Array.from({ length: count * BEAT_SAMPLES }, (_, i) => -10 * Math.floor(i / BEAT_SAMPLES)));
const classes = Uint8Array.from({ length: count }, (_, i) => i % 5);
const records = bytes(Uint16Array.from({ length: count }, (_, i) => RECORDS[i >> 1]!));

async function writeBeats(folder: string, x: Uint8Array, y: Uint8Array, record: Uint8Array): Promise<void> {
  await writeFile(join(folder, 'beats.x.int16le.gz'), gzipSync(x));
  await writeFile(join(folder, 'beats.y.uint8.gz'), gzipSync(y));
  await writeFile(join(folder, 'beats.record.uint16le.gz'), gzipSync(record));
}

async function splitOf(x: Uint8Array, y: Uint8Array, record: Uint8Array) {
  let split: Awaited<ReturnType<typeof ecgSplit>> | undefined;
  await withFolder(async (folder) => {
    await writeBeats(folder, x, y, record);
    split = await ecgSplit(folder);
  });
  return split!;
}

describe('ecgSplit', () => {
  test('holds out every fourth record whole, and every beat keeps its class', async () => {
    const { train, dev } = await splitOf(samples, classes, records);
    const numbers = (part: typeof dev): number[] => Array.from(part.labels, (_, row) => Math.abs(part.values[row * BEAT_SAMPLES]!) / 10);
    expect(numbers(dev)).toEqual([2, 3, 8, 9]); // records 101 and 208
    expect(numbers(train)).toEqual([0, 1, 4, 5, 6, 7, 10, 11]);
    for (const part of [train, dev]) expect([...part.labels]).toEqual(numbers(part).map((n) => n % 5));
  });

  test.each([
    ['fewer samples', samples.subarray(2), classes, records],
    ['fewer records', samples, classes, records.subarray(2)],
    ['a class beyond Q', samples, classes.map(() => 5), records],
    ['one record', samples, classes, bytes(new Uint16Array(count).fill(7))],
  ])('refuses %s', async (_, x, y, record) => {
    await expect(splitOf(x, y, record)).rejects.toThrow(DataError);
  });
});

test('development inputs are the held out beats with their labels, in an order of their own', async () => {
  await withFolder(async (folder) => {
    await writeBeats(folder, samples, classes, records);
    const inputs = await developmentInputs('power-ecg', folder);
    const numbers = inputs.map(({ input }) => Math.abs(Number(input[0])) / 10);
    expect([...numbers].sort((a, b) => a - b)).toEqual([2, 3, 8, 9]);
    expect(numbers).not.toEqual([2, 3, 8, 9]);
    expect(inputs.map(({ label }) => label)).toEqual(numbers.map((n) => HEARTBEATS[n % 5]));
  });
});

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../src/cli/run.js';
import { train } from '../src/cli/train.js';
import { HeModelsError } from '../src/errors.js';
import { startWasm } from '../src/train/wasm.js';
import { pipeline } from '../src/use/pipeline.js';
import { withFolder } from './temporary_folder.js';
import { writeTinyModel } from './tiny_model.js';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

beforeAll(startWasm);

/** A typed error of one line. */
async function errorOf(attempt: () => Promise<unknown>): Promise<HeModelsError> {
  const error = await attempt().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HeModelsError);
  expect((error as HeModelsError).message).not.toContain('\n');
  return error as HeModelsError;
}

/** What running a tiny model, after `change`, fails with. */
const runError = (text: string, change: (folder: string) => Promise<unknown> = async () => {}) =>
  withFolder(async (folder) => {
    await writeTinyModel(join(folder, 'tiny'));
    await change(join(folder, 'tiny'));
    return errorOf(() => runCommand(run, folder, 'tiny', text, '--fhe', 'disable'));
  });

async function runCommand(command: typeof run, cwd: string, ...args: string[]): Promise<void> {
  const progress = { update: () => {}, log: () => {}, clear: () => {} };
  const { signal } = new AbortController();
  await command.run({ args, packageRoot, cwd, print: () => {}, progress, signal });
}

describe('one line and a code for', () => {
  test('an unknown model, with those there are', async () => {
    const { code, message } = await errorOf(() => runCommand(run, packageRoot, 'large', 'hello'));
    expect([code, message]).toEqual(['UNKNOWN_MODEL', expect.stringMatching(/large.*power-banking77.*power-stories-260k/)]);
  });

  test('an unknown task, with those there are', async () => {
    const { code, message } = await errorOf(() => pipeline('translation' as 'text-classification', 'power-banking77'));
    expect([code, message]).toEqual(['UNKNOWN_TASK', expect.stringMatching(/translation.*text-classification.*text-generation/)]);
  });

  test('an unknown task of a table, with the one there is', async () => {
    const { code, message } = await errorOf(() => runCommand(train, packageRoot, '--task', 'translation', '--train', 'x', '--out', 'y'));
    expect([code, message]).toEqual(['USAGE', expect.stringMatching(/text-classification.*translation/)]);
  });

  test('a wrong hash, naming the file', async () => {
    const { code, message } = await runError('red', async (folder) => {
      const weights = await readFile(join(folder, 'weights.bin'));
      await writeFile(join(folder, 'weights.bin'), weights.with(0, (weights[0] ?? 0) ^ 1));
    });
    expect([code, message]).toEqual(['ASSET_CORRUPT', expect.stringContaining('weights.bin')]);
  });

  test('a truncated shard, naming the file', async () => {
    const { code, message } = await runError('red', async (folder) => {
      await writeFile(join(folder, 'weights.bin'), (await readFile(join(folder, 'weights.bin'))).subarray(0, -4));
    });
    expect([code, message]).toEqual(['ASSET_CORRUPT', expect.stringMatching(/weights\.bin is cut off/)]);
  });

  test('a text that is too long, naming the limit', async () => {
    const { code, message } = await runError('so very very very very very red');
    expect([code, message]).toEqual(['TEXT_TOO_LONG', expect.stringMatching(/7 tokens.* takes 6/)]);
  });

  test('a language that the tokenizer cannot encode', async () => {
    expect((await runError('ночь')).code).toBe('TEXT_UNKNOWN');
  });

  test('a table without the column, with those there are, and nothing is left behind', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'mail.csv'), 'letter,mood\nx,good\ny,bad\n');
      const args = ['--task', 'text-classification', '--train', 'mail.csv', '--text', 'body', '--label', 'mood', '--out', 'moods'];
      const { code, message } = await errorOf(() => runCommand(train, folder, ...args));
      expect([code, message]).toEqual(['DATA_INVALID', expect.stringMatching(/no column body: it has letter, mood/)]);
      expect(await readdir(folder)).toEqual(['mail.csv']);
    }));
});

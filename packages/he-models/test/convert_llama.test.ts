import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { convert } from '../src/cli/convert.js';
import { AssetError, InputError, UsageError } from '../src/errors.js';
import { parseLlamaCheckpoint } from '../src/llama/checkpoint.js';
import { floatsAt } from '../src/pretrained/assets.js';
import { TINY_LLAMA, tinyLlamaBytes, tinyVocabularyBytes } from './tiny_llama.js';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'he-models-llama-'));
  await writeFile(join(root, 'tiny.bin'), tinyLlamaBytes());
  await writeFile(join(root, 'tok.bin'), tinyVocabularyBytes());
});
afterAll(() => rm(root, { recursive: true }));

async function printed(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const progress = { update: () => {}, log: () => {}, clear: () => {} };
  const { signal } = new AbortController();
  await convert.run({ args, packageRoot: root, cwd: root, print: (line) => void lines.push(line), progress, signal });
  return lines;
}

describe('convert with a llama2.c checkpoint', () => {
  test('writes a model that can be given PowerSoftmax next', async () => {
    await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'model', '--tokens', '5');
    const [line = ''] = await printed('model', '--swap-softmax', '4', '--out', 'power', '--json');
    expect(JSON.parse(line).report.replaced.map(({ layer }: { layer: string }) => layer)).toEqual(['block_0', 'block_1']);
  });

  test('writes the embedding for the client', async () => {
    await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'client');
    const bytes = await readFile(join(root, 'client', 'embedding.bin'));
    expect(floatsAt(bytes, 0, bytes.length / 4)).toEqual(parseLlamaCheckpoint(tinyLlamaBytes()).embedding);
  });

  test('says what the model is and what it needs', async () => {
    const [line = ''] = await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'said', '--json');
    expect(JSON.parse(line)).toMatchObject({ config: TINY_LLAMA, tokens: TINY_LLAMA.maxTokens, texts: 0 });
    expect((await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'said')).join('\n')).toContain('--swap-softmax');
  });

  test('writes texts that repeat with their seed', async () => {
    const sample = async (seed: string) => {
      await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'texts', '--sample', '60', '--seed', seed);
      return readFile(join(root, 'texts', 'sample.jsonl'), 'utf8');
    };
    const first = await sample('1');
    expect(first.trim().split('\n').length).toBeGreaterThan(1);
    expect(await sample('1')).toBe(first);
    expect(await sample('2')).not.toBe(first);
  });

  test.each([
    ['a checkpoint in place of the tokenizer', ['tiny.bin', '--tokenizer', 'tiny.bin'], AssetError],
    ['no tokenizer', ['tiny.bin'], UsageError],
    ['a file that is not there', ['none.bin', '--tokenizer', 'tok.bin'], InputError],
    ['options of the other forms', ['tiny.bin', '--tokenizer', 'tok.bin', '--swap-softmax', '4'], UsageError],
  ])('refuses %s and writes nothing', async (_, args, error) => {
    await expect(printed(...args, '--out', 'refused')).rejects.toThrow(error);
    expect(await readdir(root)).not.toContain('refused');
  });
});

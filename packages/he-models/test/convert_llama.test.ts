import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { convert } from '../src/cli/convert.js';
import { openTrainable } from '../src/convert.js';
import { AssetError, InputError, UsageError } from '../src/errors.js';
import { fromPretrained, measureGeneration } from '../src/index.js';
import { parseLlamaCheckpoint } from '../src/llama/checkpoint.js';
import { llamaDecoder } from '../src/llama/decoder.js';
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
  test('computes with softmax as llama2.c does if asked to', async () => {
    await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'kept', '--tokens', '4', '--keep-softmax');
    const { embed, inputShape, model, tokenize } = await fromPretrained(join(root, 'kept'));
    const { ids } = tokenize('the cat', { truncate: true });
    const output = tf.tidy(() => (model.predict(tf.tensor(embed('the cat', { truncate: true }), [...inputShape])) as tf.Tensor).dataSync());
    const decoder = llamaDecoder(parseLlamaCheckpoint(tinyLlamaBytes()));
    ids.forEach((id, t) => {
      const expected = decoder.next(id);
      expected.forEach((logit, k) => {
        expect(output[t * expected.length + k]).toBeCloseTo(logit, 3);
      });
    });
    model.dispose();
  });

  test('is trained, made a polynomial and read encrypted as in the clear', async () => {
    await writeFile(join(root, 'one.bin'), tinyLlamaBytes({ layers: 1 }));
    const form = ['--swap-softmax', '2', '--epsilon', '1', '--norm-epsilon', '1'];
    await printed('one.bin', '--tokenizer', 'tok.bin', '--out', 'power', '--tokens', '3', ...form);
    const { model, embed, inputShape, save } = await openTrainable(join(root, 'power'));
    const x = tf.tensor(embed('the cat', { truncate: true }), [1, ...inputShape]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.fit(x, tf.zeros([1, inputShape[0], TINY_LLAMA.vocabulary]), { verbose: 0 });
    await save();
    await writeFile(join(root, 'texts.txt'), 'the cat\nat the\nheat\nc the\nthe heat the\n');
    await printed('power', '--calibration', 'texts.txt', '--out', 'polynomial', '--bits', '6', '--margin', '2');
    const config = JSON.parse(await readFile(join(root, 'polynomial', 'config.json'), 'utf8'));
    expect(config).toMatchObject({ task: 'text-generation', power: 2 });
    const { sameTop1, leastBits, read } = await measureGeneration(join(root, 'polynomial'), ['the cat', 'at the'], {
      fhe: 'simulate',
      seed: 1,
      newTokens: 0,
    });
    expect(read).toBe(6);
    expect(sameTop1).toBe(1);
    expect(leastBits).toBeGreaterThan(6);
  });

  test('writes the embedding for the client', async () => {
    await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'client');
    const bytes = await readFile(join(root, 'client', 'embedding.bin'));
    expect(floatsAt(bytes, 0, bytes.length / 4)).toEqual(parseLlamaCheckpoint(tinyLlamaBytes()).embedding);
  });

  test('says what the model is and what it needs', async () => {
    const [line = ''] = await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'said', '--json');
    expect(JSON.parse(line)).toMatchObject({ architecture: 'llama2.c', sizes: TINY_LLAMA, tokens: TINY_LLAMA.maxTokens, texts: 0 });
    const lines = (await printed('tiny.bin', '--tokenizer', 'tok.bin', '--out', 'said')).join('\n');
    for (const said of ['p = 4 and epsilon = 0.1', 'block_1/feed_forward/activation: silu', '--calibration']) expect(lines).toContain(said);
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
    ['options of the other forms', ['tiny.bin', '--tokenizer', 'tok.bin', '--calibration', 'x'], UsageError],
    ['more tokens than it was trained on', ['tiny.bin', '--tokenizer', 'tok.bin', '--tokens', '17'], UsageError],
  ])('refuses %s and writes nothing', async (_, args, error) => {
    await expect(printed(...args, '--out', 'refused')).rejects.toThrow(error);
    expect(await readdir(root)).not.toContain('refused');
  });
});

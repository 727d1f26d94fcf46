import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { AssetError, EmptyTextError, TextTooLongError, UnknownModelError } from '../src/errors.js';
import { clientFromPretrained, fromPretrained, type PretrainedModel } from '../src/index.js';
import { fileBytes, requireDigest } from '../src/pretrained/assets.js';
import { percent } from '../src/train/card.js';
import { argMax } from '../src/train/metrics.js';

const modelFolder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'models', 'power-banking77');

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function intentOf({ model, embed, inputShape, labels }: PretrainedModel, text: string): string | undefined {
  const output = model.predict(tf.tensor3d(embed(text), [...inputShape])) as tf.Tensor;
  return labels[argMax(output.dataSync())];
}

describe('fromPretrained', () => {
  test.each([
    ['My card was stolen, please block it', 'lost_or_stolen_card'],
    ['How do I activate my new card?', 'activate_my_card'],
    ['Which currencies do you support for exchange?', 'fiat_currency_support'],
    ['I forgot my passcode', 'passcode_forgotten'],
  ])('sorts %j under %s', async (text, intent) => {
    const pretrained = await fromPretrained('power-banking77');
    expect(intentOf(pretrained, text)).toBe(intent);
    pretrained.model.dispose();
  });

  test('knows 77 intents in alphabetical order', async () => {
    const { labels } = await clientFromPretrained('power-banking77');
    expect(labels).toHaveLength(77);
    expect(labels).toEqual([...labels].sort());
  });

  test('reports shapes and approximations that fit the model', async () => {
    const { model, he, inputShape } = await fromPretrained('power-banking77');
    expect(he.inputShape).toEqual(inputShape);
    expect(model.outputs[0]?.shape).toEqual([null, he.outputShape[1]]);
    expect(he.approximations).toHaveLength(4);
    for (const { interval } of he.approximations) expect(interval[0]).toBeLessThan(interval[1]);
    model.dispose();
  });

  test('names the models there are', async () => {
    await expect(fromPretrained('power-imdb')).rejects.toThrow(UnknownModelError);
    await expect(fromPretrained('power-imdb')).rejects.toThrow('power-banking77');
  });

  test('the client refuses texts the model cannot take', async () => {
    const { embed, tokenize } = await clientFromPretrained('power-banking77');
    expect(() => embed(' ')).toThrow(EmptyTextError);
    expect(() => tokenize('card '.repeat(33))).toThrow(TextTooLongError);
    expect(embed('card '.repeat(33), { truncate: true })).toHaveLength(32 * 64);
  });
});

describe('a bundled file', () => {
  const files = { 'a.bin': btoa('hello') };
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

  test('is read, and fits its digest', () => {
    const bytes = fileBytes(files, 'a.bin');
    expect([...bytes]).toEqual([...'hello'].map((c) => c.charCodeAt(0)));
    requireDigest(bytes, 'a.bin', { bytes: 5, sha256 });
  });

  test.each([
    ['another digest', { bytes: 5, sha256: sha256.replace('2', '3') }, 'differs'],
    ['a smaller length', { bytes: 4, sha256 }, 'differs'],
    ['a larger length', { bytes: 6, sha256 }, 'is cut off after 5 of 6 bytes'],
  ])('does not fit %s', (_, digest, mention) => {
    expect(() => requireDigest(fileBytes(files, 'a.bin'), 'a.bin', digest)).toThrow(AssetError);
    expect(() => requireDigest(fileBytes(files, 'a.bin'), 'a.bin', digest)).toThrow(mention);
  });

  test.each([
    ['missing', {}],
    ['no base64', { 'a.bin': '*' }],
  ])('is refused where it is %s', (_, bundle) => {
    expect(() => fileBytes(bundle, 'a.bin')).toThrow(AssetError);
  });
});

describe('model card', () => {
  test('states the figures of the configuration', async () => {
    const [card, json] = await Promise.all(['README.md', 'config.json'].map((name) => readFile(join(modelFolder, name), 'utf8')));
    const { accuracy, recipe, devQuestions } = JSON.parse(json ?? '');
    for (const form of ['softmax', 'powerSoftmax', 'polynomial']) expect(card).toContain(`| ${percent(accuracy[form])} |`);
    expect(card).toContain(`${devQuestions} development questions`);
    expect(card).toContain(`seed ${recipe.seed}`);
  });

  test('holds what was promised: 80% as a polynomial, at most 1.5 points below softmax', async () => {
    const { accuracy, outsideIntervals } = (await clientFromPretrained('power-banking77')).config;
    expect(accuracy.polynomial).toBeGreaterThanOrEqual(0.8);
    expect(accuracy.softmax - accuracy.polynomial).toBeLessThanOrEqual(0.015);
    expect(outsideIntervals).toBe(0);
  });
});

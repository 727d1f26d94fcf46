import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { AssetError } from '../src/errors.js';
import { parseHe } from '../src/pretrained/parse_he.js';
import { PRETRAINED_NAMES } from '../src/pretrained/registry.js';
import { loadStoredModel } from '../src/pretrained/stored_model.js';

const models = join(dirname(dirname(fileURLToPath(import.meta.url))), 'models');
const approximation = { site: 'a', function: 'gelu', interval: [-1, 1], degree: 3, depth: 2, maxError: 0.1 };
const he = { inputShape: [1, 2, 3], outputShape: [1, 4], tokens: 2, depth: 1, approximations: [approximation], parameters: {} };

describe('he.json', () => {
  test.each(PRETRAINED_NAMES)('of %s is accepted', async (name) => {
    const value = JSON.parse(await readFile(join(models, name, 'he.json'), 'utf8'));
    expect(parseHe(value)).toBe(value);
  });

  test.each([
    ['nothing', null],
    ['no input shape', { ...he, inputShape: undefined }],
    ['an empty output', { ...he, outputShape: [1, 0] }],
    ['no tokens', { ...he, tokens: 'two' }],
    ['a depth in words', { ...he, depth: 'deep' }],
    ['no parameters', { ...he, parameters: undefined }],
    ['parameters of a step that are a list', { ...he, stepParameters: [] }],
    ['needs that are a number', { ...he, needs: 3 }],
    ['no approximations', { ...he, approximations: undefined }],
    ['an interval with one end', { ...he, approximations: [{ ...approximation, interval: [1] }] }],
  ])('with %s is refused', (_, value) => {
    expect(parseHe(he)).toBe(he);
    expect(() => parseHe(value)).toThrow(AssetError);
  });
});

describe('model.json', () => {
  test.each([
    ['no topology', '{}', 'no topology'],
    ['a shard that is no name', '{"modelTopology":{},"weightsManifest":[{"paths":[1],"weights":[]}]}', 'no manifest'],
    ['an unknown layer', '{"modelTopology":{"class_name":"Nope","config":{}},"weightsManifest":[]}', 'layer: Nope\\)'],
  ])('with %s is refused in one line', async (_, text, mention) => {
    const read = async () => Uint8Array.from(new TextEncoder().encode(text));
    const message = expect.stringMatching(`^model\\.json .*${mention}.*$`);
    await expect(loadStoredModel(read)).rejects.toMatchObject({ code: 'ASSET_CORRUPT', message });
  });
});

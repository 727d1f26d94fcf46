import { describe, expect, test } from '@jest/globals';
import { AssetError } from '../src/errors.js';
import { parseConfig } from '../src/pretrained/parse_config.js';

const digest = { bytes: 4, sha256: 'a'.repeat(64) };
const text = {
  name: 'x',
  format: 1,
  labels: ['a'],
  files: { 'model.json': digest },
  embedding: { vocabularySize: 9, features: 2, maxTokens: 3 },
};
const grid = { height: 1, width: 8, patchHeight: 1, patchWidth: 4, strideY: 1, strideX: 4, paddingY: 0, paddingX: 0, offset: 0, scale: 1 };
const signal = { ...text, task: 'signal-classification', embedding: { grid, features: 2 } };

describe('config.json', () => {
  test.each([
    ['of a text model without a task', text],
    ['of a signal model', signal],
  ])('%s is accepted', (_, config) => {
    expect(parseConfig(config)).toBe(config);
  });

  test.each([
    ['a list', []],
    ['null', null],
    ['another format', { ...text, format: 2 }],
    ['no name', { ...text, name: '' }],
    ['an unknown task', { ...text, task: 'translation' }],
    ['no labels', { ...text, labels: [] }],
    ['a label that is a number', { ...text, labels: [1] }],
    ['no files', { ...text, files: undefined }],
    ['a file outside of its folder', { ...text, files: { '../secret': digest } }],
    ['a short digest', { ...text, files: { a: { bytes: 1, sha256: 'ab' } } }],
    ['a negative length', { ...text, files: { a: { ...digest, bytes: -1 } } }],
    ['a fraction of a token', { ...text, embedding: { ...text.embedding, maxTokens: 1.5 } }],
    ['an epsilon of the norm below 0', { ...text, embedding: { ...text.embedding, normEpsilon: -1 } }],
    ['an end that is no token', { ...text, special: { begin: null, end: 'x' } }],
    ['a power that is no number', { ...text, task: 'text-generation', power: 'four' }],
    ['a grid without a stride', { ...signal, embedding: { grid: { ...grid, strideX: 0 }, features: 2 } }],
    ['a grid without a scale', { ...signal, embedding: { grid: { ...grid, scale: 0 }, features: 2 } }],
    ['negative padding', { ...signal, embedding: { grid: { ...grid, paddingX: -1 }, features: 2 } }],
    ['a text embedding for signals', { ...signal, embedding: text.embedding }],
  ])('with %s is refused', (_, config) => {
    expect(() => parseConfig(config)).toThrow(AssetError);
  });
});

import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../src/errors.js';
import { parseEvaluateOptions, parseTrainOptions } from '../src/train/options.js';

const parse = (...args: string[]) => parseTrainOptions(args, '/package', '/home/user');

describe('training options', () => {
  test('have defaults inside the package and resolve paths from where the user stands', () => {
    expect(parse('banking77', '--data', 'data')).toEqual({
      dataset: 'banking77',
      data: '/home/user/data',
      vocabulary: undefined,
      checkpoints: '/package/checkpoints/banking77',
      out: '/package/models/power-banking77',
      json: false,
      fresh: false,
      variant: 'both',
      epochs: undefined,
      seed: undefined,
    });
  });

  test('take another recipe with checkpoints of its own, but not over the model', () => {
    expect(parse('ecg', '--data', 'd', '--recipe', 'queries-16', '--out', 'o')).toMatchObject({
      recipe: 'queries-16',
      checkpoints: '/package/checkpoints/ecg-queries-16',
      out: '/home/user/o',
    });
    expect(() => parse('ecg', '--data', 'd', '--recipe', 'queries-16')).toThrow('--recipe needs --out DIR');
  });

  test('take everything from the command line', () => {
    const args = 'banking77 --data /d --vocab v.txt --checkpoints c --out o --variant softmax --epochs 3 --seed 0 --fresh --json'.split(
      ' ',
    );
    expect(parse(...args)).toEqual({
      dataset: 'banking77',
      data: '/d',
      vocabulary: '/home/user/v.txt',
      checkpoints: '/home/user/c',
      out: '/home/user/o',
      json: true,
      fresh: true,
      variant: 'softmax',
      epochs: 3,
      seed: 0,
    });
  });

  test('help needs nothing else', () => {
    expect(parse('--help')).toBeUndefined();
  });

  test.each([
    ['no data set', ['--data', 'd'], 'banking77'],
    ['an unknown data set', ['imdb', '--data', 'd'], 'banking77'],
    ['no folder', ['banking77'], '--data'],
    ['an unknown option', ['banking77', '--data', 'd', '--speed', '9'], '--help'],
    ['an unknown variant', ['banking77', '--data', 'd', '--variant', 'relu'], 'softmax'],
    ['a fraction of an epoch', ['banking77', '--data', 'd', '--epochs', '1.5'], '--epochs'],
    ['no epochs at all', ['banking77', '--data', 'd', '--epochs', '0'], '--epochs'],
  ])('refuse %s', (_, args, mention) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(mention);
  });
});

test('evaluation takes a limit', () => {
  expect(parseEvaluateOptions(['banking77', '--data', 'd', '--limit', '20'], '/package', '/')).toMatchObject({ data: '/d', limit: 20 });
});

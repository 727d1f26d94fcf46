import { beforeAll, expect, test } from '@jest/globals';
import { UnsupportedLayerError } from '../src/errors.js';
import type { EncoderBlockArgs } from '../src/index.js';
import { toPolynomial } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { classifier, paddedExamples } from './support/models.js';

beforeAll(() => useBackend('cpu'));

test.each<[string, Partial<EncoderBlockArgs>]>([
  ['sigma attention', { attention: 'sigma' }],
  ['softmax attention', { attention: 'softmax' }],
])('toPolynomial refuses %s, naming the layer', (_, args) => {
  const { x } = paddedExamples(4, 1);
  const convert = () => toPolynomial(classifier(args), { calibration: x });
  expect(convert).toThrow(UnsupportedLayerError);
  expect(convert).toThrow('block_0');
});

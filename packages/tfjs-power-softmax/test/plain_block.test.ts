import { beforeAll, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { plainBlock } from '../bench/plain_block.ts';
import { EncoderBlock } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, FEATURES, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

beforeAll(() => useBackend('cpu'));

const SETTINGS = { numHeads: 2, keyDim: 4, p: 4, epsilon: 0.5, normEpsilon: 0.3 } as const;

test.each(['power', 'softmax'] as const)('the block of the benchmark has the value and gradients of EncoderBlock (%s)', (attention) => {
  const block = new EncoderBlock({ ...BLOCK, ...SETTINGS, attention });
  block.build([null, TOKENS, FEATURES]);
  block.setWeights(block.getWeights().map((weight, i) => normal(weight.shape, i + 1, 0.5)));
  const names = block.weights.map(({ originalName }) => originalName.replace(`${block.name}/`, ''));
  const variables = new Map(names.map((name) => [name, tf.variable(block.weight(name))]));
  const x = tf.variable(normal([3, TOKENS, FEATURES], 50) as tf.Tensor3D);
  const upstream = normal([3, TOKENS, FEATURES], 51);
  const gradients = (forward: () => tf.Tensor, weights: tf.Variable[]) => {
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(forward(), upstream)), [x, ...weights]);
    return [...valuesOf(value), ...[x, ...weights].flatMap(({ name }) => valuesOf(grads[name]!))];
  };
  const ours = gradients(
    () => block.apply(x) as tf.Tensor,
    names.map((name) => block.weight(name) as tf.Variable),
  );
  const plain = gradients(() => plainBlock(x, variables, { ...SETTINGS, attention }), [...variables.values()]);
  expect(ours.length).toBeGreaterThan(500);
  expect(largestDifference(ours, plain)).toBeLessThan(1e-4);
});

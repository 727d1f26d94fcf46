import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { collectRanges, DecoderBlock, type DecoderBlockArgs, InvalidArgumentError, MultiHeadAttention } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, FEATURES, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const [KEYS, MEMORY_FEATURES] = [4, 5];
const x = normal([2, TOKENS, FEATURES], 1);
const memory = normal([2, KEYS, MEMORY_FEATURES], 2);
const mask = tf.tensor2d([
  [1, 1, 0, 0],
  [1, 0, 1, 1],
]);
/** Other values where the mask is zero. */
const changedMemory = tf.add(memory, tf.mul(tf.sub(1, tf.reshape(mask, [2, KEYS, 1])), normal([2, KEYS, MEMORY_FEATURES], 3)));

function model(layer: tfl.layers.Layer, masked = false): tfl.LayersModel {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [KEYS, MEMORY_FEATURES] })];
  if (masked) inputs.push(tfl.input({ shape: [KEYS] }));
  return tfl.model({ inputs, outputs: layer.apply(inputs) as tfl.SymbolicTensor });
}

function predict(of: tfl.LayersModel, inputs: tf.Tensor[]): number[] {
  return valuesOf(of.predictOnBatch(inputs) as tf.Tensor);
}

const decoder = (args: Partial<DecoderBlockArgs> = {}) => new DecoderBlock({ ...BLOCK, name: 'decoder', ...args });

describe.each(['power', 'softmax', 'sigma'] as const)('cross-attention with %s', (attention) => {
  const make = () => new MultiHeadAttention({ name: 'cross', numHeads: 2, keyValueHeads: 1, keyDim: 4, attention, epsilon: 0.2, seed: 3 });

  test('to its own input is self-attention', () => {
    const self = make();
    const cross = make();
    const own = valuesOf(self.apply(x) as tf.Tensor);
    cross.apply([x, x]);
    cross.setWeights(self.getWeights());
    expect(largestDifference(valuesOf(cross.apply([x, x]) as tf.Tensor), own)).toBe(0);
  });

  test('reads a memory of other length and width, in any order', () => {
    const layer = model(make());
    expect(layer.outputShape).toEqual([null, TOKENS, FEATURES]);
    expect(largestDifference(predict(layer, [x, tf.reverse(memory, 1)]), predict(layer, [x, memory]))).toBeLessThan(1e-5);
    expect(largestDifference(predict(layer, [x, tf.mul(memory, 2)]), predict(layer, [x, memory]))).toBeGreaterThan(1e-3);
  });

  test('does not read masked rows of the memory', () => {
    const layer = model(make(), true);
    expect(largestDifference(predict(layer, [x, changedMemory, mask]), predict(layer, [x, memory, mask]))).toBeLessThan(1e-6);
  });

  test('predicts the same after saving and loading', async () => {
    const layer = model(make(), true);
    expect(predict(await roundTrip(layer), [x, memory, mask])).toEqual(predict(layer, [x, memory, mask]));
  });
});

describe('DecoderBlock', () => {
  test.each([{}, { norm: 'rms', activation: 'swiglu', rotary: true, keyValueHeads: 1 }] as const)(
    'predicts the same after saving and loading (%j)',
    async (args) => {
      const block = model(decoder({ ...args, dropout: 0.1 }), true);
      expect(predict(await roundTrip(block), [x, memory, mask])).toEqual(predict(block, [x, memory, mask]));
    },
  );

  test('does not read later tokens, and reads the memory but for its masked rows', () => {
    const block = model(decoder(), true);
    const head = (y: number[]) => valuesOf(tf.slice(tf.tensor(y, [2, TOKENS, FEATURES]), [0, 0, 0], [-1, 3, -1]));
    const changed = tf.concat([tf.slice(x, [0, 0, 0], [-1, 3, -1]), normal([2, TOKENS - 3, FEATURES], 7)], 1);
    const output = predict(block, [x, memory, mask]);
    expect(largestDifference(head(predict(block, [changed, memory, mask])), head(output))).toBeLessThan(1e-6);
    expect(largestDifference(predict(block, [x, changedMemory, mask]), output)).toBeLessThan(1e-6);
    expect(largestDifference(predict(block, [x, tf.neg(tf.square(memory)), mask]), output)).toBeGreaterThan(1e-3);
  });

  test('reports every function that is no polynomial', () => {
    const { sites } = collectRanges(() => model(decoder()).apply([x, memory]));
    expect(sites.map(({ name, values }) => [name, values.shape])).toEqual([
      ['decoder/attention/denominator', [2, 2, TOKENS, 1]],
      ['decoder/attention_norm/variance', [2, TOKENS, 1]],
      ['decoder/cross_attention/denominator', [2, 2, TOKENS, 1]],
      ['decoder/cross_attention_norm/variance', [2, TOKENS, 1]],
      ['decoder/feed_forward/activation', [2, TOKENS, 12]],
      ['decoder/feed_forward_norm/variance', [2, TOKENS, 1]],
    ]);
  });

  test('learns to copy the mean of the memory', () => {
    const block = model(decoder({ norm: 'rms' }));
    const inputs = [normal([16, TOKENS, FEATURES], 11), normal([16, KEYS, MEMORY_FEATURES], 12)];
    const target = tf.tile(tf.mean(inputs[1]!, [1, 2], true), [1, TOKENS, FEATURES]);
    const optimizer = tf.train.adam(0.02);
    const step = () =>
      optimizer.minimize(() => tf.losses.meanSquaredError(target, block.apply(inputs) as tf.Tensor) as tf.Scalar, true)!.dataSync()[0]!;
    const first = step();
    for (let i = 0; i < 80; i++) step();
    expect(step()).toBeLessThan(first / 5);
  });

  test('leaves no tensors behind', () => {
    const block = model(decoder());
    predict(block, [x, memory]);
    const before = tf.memory().numTensors;
    predict(block, [x, memory]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('refuses inputs without a memory, naming itself', () => {
    expect(() => decoder().apply(tfl.input({ shape: [TOKENS, FEATURES] }))).toThrow(InvalidArgumentError);
    expect(() => decoder().apply([tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [TOKENS] })])).toThrow('decoder');
  });
});

test.each([{ causal: true }, { rotary: true }])('cross-attention refuses %j', (args) => {
  const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 4, ...args });
  expect(() => layer.apply([x, memory])).toThrow(InvalidArgumentError);
});

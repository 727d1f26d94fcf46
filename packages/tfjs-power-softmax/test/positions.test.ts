import { beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError, LearnedPositions, MultiHeadAttention, toPolynomial } from '../src/index.js';
import { rotary } from '../src/ops/rotary.js';
import { BACKENDS, useBackend } from './support/backend.js';
import { FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

/** Rotary embedding of one vector in float64, pair by pair. */
function turned(x: number[], t: number, dim = x.length, base = 10_000): number[] {
  const half = dim / 2;
  return x.map((value, i) => {
    if (i >= dim) return value;
    const angle = t * base ** (-(2 * (i % half)) / dim);
    const [other, sign] = i < half ? [x[i + half]!, -1] : [x[i - half]!, 1];
    return value * Math.cos(angle) + sign * other * Math.sin(angle);
  });
}

describe.each(BACKENDS)('rotary on %s', (backend) => {
  beforeEach(() => useBackend(backend));
  const shape: [number, number, number, number] = [2, 2, 5, 6];

  test('equals the float64 reference', () => {
    const x = normal(shape, 1) as tf.Tensor4D;
    const expected = x.arraySync().flatMap((heads) => heads.flatMap((tokens) => tokens.flatMap((row, t) => turned(row, t))));
    expect(largestDifference(valuesOf(rotary(x)), expected)).toBeLessThan(1e-5);
  });

  test('turns the first features only, with wavelengths of another base', () => {
    const x = normal(shape, 6) as tf.Tensor4D;
    const expected = x.arraySync().flatMap((heads) => heads.flatMap((tokens) => tokens.flatMap((row, t) => turned(row, t, 4, 500))));
    expect(largestDifference(valuesOf(rotary(x, { rotaryDim: 4, rotaryBase: 500 })), expected)).toBeLessThan(1e-5);
    const inner = (a: tf.Tensor, b: tf.Tensor) => valuesOf(tf.sum(tf.mul(a, b)))[0]!;
    const dy = normal(shape, 7);
    const gradient = tf.grad((input: tf.Tensor) => rotary(input as tf.Tensor4D, { rotaryDim: 4, rotaryBase: 500 }))(x, dy);
    expect(inner(gradient, x)).toBeCloseTo(inner(dy, rotary(x, { rotaryDim: 4, rotaryBase: 500 })), 3);
  });

  test('makes products of queries and keys depend on their distance only', () => {
    const [query, key] = [normal([6], 2), normal([6], 3)];
    const repeated = (x: tf.Tensor) => rotary(tf.tile(tf.reshape(x, [1, 1, 1, 6]), [1, 1, 5, 1]) as tf.Tensor4D);
    const products = tf.matMul(repeated(query), repeated(key), false, true).arraySync() as number[][][][];
    const rows = products[0]![0]!;
    for (let i = 1; i < 5; i++) for (let j = 1; j < 5; j++) expect(rows[i]![j]).toBeCloseTo(rows[i - 1]![j - 1]!, 4);
    expect(Math.abs(rows[0]![1]! - rows[1]![0]!)).toBeGreaterThan(1e-3);
  });

  test('has as gradient the transposed map: <dy, rotary(x)> = <gradient, x>', () => {
    const [x, dy] = [normal(shape, 4) as tf.Tensor4D, normal(shape, 5)];
    const gradient = tf.grad((input: tf.Tensor) => rotary(input as tf.Tensor4D))(x, dy);
    const inner = (a: tf.Tensor, b: tf.Tensor) => valuesOf(tf.sum(tf.mul(a, b)))[0]!;
    expect(inner(gradient, x)).toBeCloseTo(inner(dy, rotary(x)), 3);
    expect(inner(gradient, gradient)).toBeCloseTo(inner(dy, dy), 2);
  });
});

test('rotary attention sees the order of tokens, and not where the sequence starts', async () => {
  await useBackend('wasm');
  const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 4, rotary: true, attention: 'softmax', seed: 2 });
  const x = normal([1, TOKENS, FEATURES], 4);
  const apply = (...inputs: tf.Tensor[]) => layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as tf.Tensor;
  const reversed = valuesOf(tf.reverse(apply(tf.reverse(x, 1)), 1));
  expect(largestDifference(reversed, valuesOf(apply(x)))).toBeGreaterThan(1e-3);
  const shifted = tf.concat([normal([1, 2, FEATURES], 5), x], 1);
  const mask = tf.tensor2d([[0, 0, ...Array.from({ length: TOKENS }, () => 1)]]);
  const tail = valuesOf(tf.slice(apply(shifted, mask), [0, 2, 0]));
  expect(largestDifference(tail, valuesOf(apply(x)))).toBeLessThan(1e-4);
});

describe('LearnedPositions', () => {
  beforeEach(() => useBackend('wasm'));

  function model(maxTokens: number, masked = false): tfl.LayersModel {
    const x = tfl.input({ shape: [TOKENS, FEATURES] });
    const inputs = masked ? [x, tfl.input({ shape: [TOKENS] })] : [x];
    const output = new LearnedPositions({ name: 'positions', maxTokens, seed: 3 }).apply(inputs) as tfl.SymbolicTensor;
    return tfl.model({ inputs, outputs: output });
  }

  const predict = (of: tfl.LayersModel, x: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(x) as tf.Tensor);

  test.each([TOKENS, TOKENS + 3])('of %i positions adds the first ones to every example', (maxTokens) => {
    const positioned = model(maxTokens);
    const [positions] = positioned.getWeights();
    expect(positions!.shape).toEqual([maxTokens, FEATURES]);
    const first = valuesOf(tf.slice(positions!, 0, TOKENS));
    expect(largestDifference(predict(positioned, tf.zeros([2, TOKENS, FEATURES])), [...first, ...first])).toBe(0);
  });

  test('with a mask keeps padding at zero', () => {
    const { x, mask } = paddedExamples(5, 2);
    const inverse = tf.sub(1, tf.reshape(mask, [5, TOKENS, 1]));
    const output = tf.reshape(tf.tensor1d(predict(model(TOKENS, true), [x, mask])), [5, TOKENS, FEATURES]);
    expect(valuesOf(tf.max(tf.abs(tf.mul(output, inverse))))).toEqual([0]);
  });

  test('predicts the same after saving and loading, and as a polynomial', async () => {
    const x = normal([2, TOKENS, FEATURES], 5);
    const positioned = model(TOKENS + 1);
    expect(predict(await roundTrip(positioned), x)).toEqual(predict(positioned, x));
    expect(predict(toPolynomial(positioned, { calibration: x }).model, x)).toEqual(predict(positioned, x));
  });

  test('learn', () => {
    const layer = new LearnedPositions({ maxTokens: 3, seed: 1 });
    layer.build([null, 3, 2]);
    const target = normal([1, 3, 2], 6);
    const optimizer = tf.train.adam(0.1);
    const step = () =>
      optimizer
        .minimize(() => tf.losses.meanSquaredError(target, layer.apply(tf.zeros([1, 3, 2])) as tf.Tensor) as tf.Scalar, true)!
        .dataSync()[0]!;
    const first = step();
    for (let i = 0; i < 60; i++) step();
    expect(step()).toBeLessThan(first / 20);
  });

  test('rejects more tokens than positions', () => {
    expect(() => model(TOKENS - 1)).toThrow(InvalidArgumentError);
  });
});

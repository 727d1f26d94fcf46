import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { restrictKeys } from '../../src/compiler/restrict_keys.js';
import { compileGraph, evaluateGraph, type Program, profile, traceFunction } from '../../src/index.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const SMALL = { polyModulusDegrees: [8192] };
const SHAPE = { tokens: 4, heads: 2, headDim: 3, labels: 3 };
const x = randomValues(24, 3);

async function bitsOf(program: Program, expected: Float64Array): Promise<number> {
  const pair = await openPair(program, 'mock');
  try {
    return bitsOfAgreement(await pair.infer(x), expected);
  } finally {
    pair.dispose();
  }
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a small budget of evaluation keys', () => {
  test('attention is the same with two, four and all Galois keys, in ever fewer rotations', async () => {
    const graph = await traceAttention(SHAPE);
    const [expected] = evaluateGraph(graph, new Map([['input', x]]));
    const program = compileGraph(graph, { ...SMALL, precisionBits: 14 });
    expect(program.galoisSteps.length).toBeGreaterThan(4);
    const rotations: number[] = [];
    for (const keys of [2, 4, program.galoisSteps.length]) {
      const restricted = restrictKeys(program, keys);
      expect(restricted.galoisSteps.length).toBe(keys);
      expect(await bitsOf(restricted, expected!)).toBeGreaterThan(12);
      rotations.push(profile(restricted).rotations);
    }
    expect(rotations).toEqual([...rotations].sort((a, b) => b - a));
  });

  test('two rotation keys are enough for a dense map of 64 by 64, at 16 rotations', async () => {
    const weights = tf.tensor2d(Float32Array.from(randomValues(64 * 64, 1)), [64, 64]);
    const graph = await traceFunction(
      (tokens) => tf.matMul(tf.reshape(tokens as tf.Tensor, [32, 64]), weights),
      [{ name: 'x', shape: [1, 32, 64] }],
    );
    // A relinearisation key and two Galois keys of three primes at ring degree 8192.
    const program = compileGraph(graph, { ...SMALL, layout: 'feature-major', maxEvaluationKeyBytes: 3 * 16 * 8192 * 3 * 2 });
    expect(program.galoisSteps.length).toBeLessThanOrEqual(2);
    expect(profile(program).rotations).toBeLessThanOrEqual(16);
    const tokens = randomValues(32 * 64, 5);
    const [expected] = evaluateGraph(graph, new Map([['x', tokens]]));
    const pair = await openPair(program, 'seal');
    try {
      expect(bitsOfAgreement(await pair.infer(tokens), expected!)).toBeGreaterThan(12);
    } finally {
      pair.dispose();
    }
  });

  test('a budget below two keys is COMPILE_FAILED and says how much is needed', async () => {
    const graph = await traceAttention(SHAPE);
    expect(() => compileGraph(graph, { ...SMALL, maxEvaluationKeyBytes: 1e6 })).toThrow(
      /evaluation keys take at least 5.2 MB, 4.2 more than the budget maxEvaluationKeyBytes of 1.0/,
    );
  });
});

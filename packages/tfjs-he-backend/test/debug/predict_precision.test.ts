import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { debugProgram, predictPrecision } from '../../src/debug/index.js';
import { type Program, traceFunction } from '../../src/index.js';
import { traceAttention } from '../support/attention.js';
import { randomValues } from '../support/random.js';
import { compileSmall } from '../support/small_ring.js';

let program: Program;
const x = randomValues(32, 5);
beforeAll(async () => {
  program = compileSmall(await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 }));
});

describe('predictPrecision', () => {
  test('names every layer with bits and a range of values', async () => {
    const { layers, outside } = await predictPrecision(program, [x]);
    expect(layers.map(({ name }) => name).sort()).toEqual([...program.layers].sort());
    for (const { bits, range } of layers) {
      expect(bits).toBeGreaterThan(10);
      expect(range[0]).toBeLessThanOrEqual(range[1]);
    }
    expect(outside).toBeNull();
  });

  // Two draws of noise, the worst of few elements: see the same bound in the test of debugProgram.
  test('predicts the bits of the outputs that SEAL gives, within four', async () => {
    const { outputs } = await predictPrecision(program, [x]);
    const real = await debugProgram(program, [x]);
    expect(Object.keys(outputs)).toEqual(Object.keys(real.outputs));
    for (const [name, { minimum, mean }] of Object.entries(outputs)) {
      expect(Math.abs(minimum - real.outputs[name]!.seal.minimum)).toBeLessThan(4);
      expect(Math.abs(mean - real.outputs[name]!.seal.mean)).toBeLessThan(4);
    }
  });

  test('tells of values beyond the bound on refreshed ones instead', async () => {
    const { outside, outputs } = await predictPrecision(program, [x.map((value) => 64 * value)]);
    expect(outside).toMatchObject({ source: 'valueBits' });
    expect(outputs).toEqual({});
  });

  test('can be aborted', async () => {
    await expect(predictPrecision(program, [x], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('refuses a wrong number of inputs', async () => {
    const graph = await traceFunction((v) => tf.square(v as tf.Tensor), [{ name: 'x', shape: [4] }]);
    await expect(predictPrecision(compileSmall(graph), [])).rejects.toMatchObject({ code: 'ENCODE_INVALID', op: 'predictPrecision' });
  });
});

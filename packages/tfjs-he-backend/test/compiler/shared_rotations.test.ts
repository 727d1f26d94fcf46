import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { compileGraph, hoistRotations, type Program, profile, traceFunction } from '../../src/index.js';
import { traceAttention } from '../support/attention.js';
import { randomValues } from '../support/random.js';

const TOKENS = 32;
const WIDTH = 64;
const OPTIONS = { polyModulusDegrees: [8192] };
const weights = (seed: number) => tf.tensor2d(Float32Array.from(randomValues(WIDTH * WIDTH, seed)), [WIDTH, WIDTH]);
const compileBody = async (body: (x: tf.Tensor2D) => tf.Tensor) =>
  hoistRotations(compileGraph(await traceFunction((x) => body(x as tf.Tensor2D), [{ name: 'x', shape: [TOKENS, WIDTH] }]), OPTIONS));

/** Rotations of a register by steps that it was rotated by before in the same segment, unchanged since. */
function repeated({ segments }: Program): number {
  let count = 0;
  for (const { instructions } of segments) {
    const seen = new Map<number, Set<number>>();
    for (const instruction of instructions) {
      if (instruction.op === 'rotate') {
        const steps = seen.get(instruction.a) ?? new Set();
        if (steps.has(instruction.steps)) count++;
        seen.set(instruction.a, steps.add(instruction.steps));
      }
      seen.delete('out' in instruction ? instruction.out : instruction.acc);
    }
  }
  return count;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('rotations that several operations need', () => {
  test('are emitted once for two dense maps of one source', async () => {
    const one = await compileBody((x) => tf.matMul(x, weights(1)));
    const two = await compileBody((x) => tf.mul(tf.matMul(x, weights(1)), tf.matMul(x, weights(2))));
    // The baby steps of the first linear map, before anything else is computed.
    const ofSource = ({ segments }: Program) => {
      const rotations = (segments[0]?.instructions ?? []).filter((instruction) => instruction.op === 'rotate');
      return rotations.filter(({ a }) => a === rotations[0]?.a).map(({ steps }) => steps);
    };
    expect(ofSource(one).length).toBeGreaterThan(2);
    expect(ofSource(two)).toEqual(ofSource(one));
    expect(profile(two).rotations).toBe(2 * profile(one).rotations - ofSource(one).length);
  });

  test('are emitted once in a segment of attention', async () => {
    const program = compileGraph(await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 }), OPTIONS);
    expect(profile(program).rotations).toBeGreaterThan(20);
    expect(repeated(program)).toBe(0);
  });
});

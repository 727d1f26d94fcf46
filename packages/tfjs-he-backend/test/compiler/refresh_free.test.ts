import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type CompileOptions, compileGraph, evaluateGraph, type Program, profile, traceFunction } from '../../src/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const WIDTH = 16;
const x = randomValues(WIDTH, 3);
const weights = () => tf.tensor2d(Float32Array.from(randomValues(WIDTH * 4, 1)), [WIDTH, 4]);
const dense = (v: tf.Tensor) => tf.matMul(v as tf.Tensor2D, weights());
const traced = (body: (v: tf.Tensor) => tf.Tensor) => traceFunction((v) => body(v as tf.Tensor), [{ name: 'x', shape: [1, WIDTH] }]);
const compileBody = async (body: (v: tf.Tensor) => tf.Tensor, options: CompileOptions = {}): Promise<Program> =>
  compileGraph(await traced(body), options);
const power = (v: tf.Tensor, doublings: number): tf.Tensor => (doublings === 0 ? v : power(tf.square(v), doublings - 1));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a program that needs no refresh', () => {
  test('gets as many levels as it has depth, at the smallest ring that holds them', async () => {
    const programs: Program[] = [];
    for (const depth of [1, 2, 3]) programs.push(await compileBody((v) => power(dense(v), depth - 1), { valueBits: 3 }));
    expect(programs.map((program) => profile(program).refreshes)).toEqual([0, 0, 0]);
    expect(programs.map(({ parameters }) => parameters.coeffModulus.length - 2)).toEqual([1, 2, 3]);
    expect(programs.map(({ parameters }) => parameters.polyModulusDegree)).toEqual([4096, 8192, 8192]);
  });

  test.each(['mock', 'seal', 'simd'] as const)('of one level keeps the precision asked for at ring degree 4096 on %s', async (engine) => {
    const graph = await traced(dense);
    const program = compileGraph(graph, { polyModulusDegrees: [4096], valueBits: 3 });
    const [expected] = evaluateGraph(graph, new Map([['x', x]]));
    const pair = await openPair(program, engine);
    try {
      expect(bitsOfAgreement(await pair.infer(x), expected!)).toBeGreaterThan(12);
    } finally {
      pair.dispose();
    }
  });

  test('holds outputs of the size that valueBits admits', async () => {
    const graph = await traced((v) => tf.mul(v, 63.5));
    const program = compileGraph(graph, { polyModulusDegrees: [4096], precisionBits: 10 });
    const pair = await openPair(program, 'seal');
    try {
      const ones = new Float64Array(WIDTH).fill(1);
      expect(
        bitsOfAgreement(
          await pair.infer(ones),
          ones.map(() => 63.5),
        ),
      ).toBeGreaterThan(10);
    } finally {
      pair.dispose();
    }
  });
});

test('a program whose levels could be saved by refreshes has none where there is no room for their masks', async () => {
  // Refreshes placed by cost would make the dense map at the end cheaper.
  const program = await compileBody((v) => dense(power(v, 4)), { polyModulusDegrees: [16384] });
  expect(program.parameters.refreshLevel).toBe(0);
  expect(profile(program).refreshes).toBe(0);
});

test('a program that is too deep for its ring has refreshes and room for their masks', async () => {
  const program = await compileBody((v) => power(v, 8), { polyModulusDegrees: [8192] });
  expect(profile(program).refreshes).toBeGreaterThan(0);
  expect(program.parameters.refreshLevel).toBeGreaterThan(0);
});

test('one that is too deep for a ring without room for masks is refused with what would help', async () => {
  await expect(compileBody((v) => power(v, 8), { polyModulusDegrees: [4096] })).rejects.toMatchObject({
    code: 'COMPILE_FAILED',
    message: expect.stringMatching(/a ring degree of 8192 in polyModulusDegrees/),
  });
});

import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { compileGraphFor } from '../../src/compiler/compile.js';
import * as he from '../../src/eager/index.js';
import { evaluateGraph } from '../../src/graph/evaluate.js';
import type { TensorNode } from '../../src/graph/node.js';
import { type Program, parseProgram, serializeProgram, traceFunction } from '../../src/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { traceAttention } from '../support/attention.js';
import { randomGraph } from '../support/graphs.js';
import { seeds } from '../support/maps.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { smallRing } from '../support/small_ring.js';

const PARAMETERS = smallRing();

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function ciphertextsOf({ inputs, outputs }: Program): number {
  return Math.max(...[...inputs, ...outputs].map(({ layout }) => layout.ciphertexts));
}

function valuesFor(program: Program, seed: number): Map<string, Float64Array> {
  return new Map(program.inputs.map(({ layout }, i) => [layout.name, randomValues(layout.slotOf.length, seed + i, 0.8)]));
}

/** Least bits of agreement over all outputs of a run. */
async function runAgainst(
  program: Program,
  graph: readonly TensorNode[],
  values: Map<string, Float64Array>,
  engine: 'mock' | 'seal' | 'simd',
) {
  const expected = evaluateGraph(graph, values);
  const pair = await openPair(program, engine);
  try {
    const { slots } = pair.client.parameters;
    const vectors = program.inputs.flatMap(({ layout }) => pack(values.get(layout.name)!, layout, slots));
    const { outputs } = await pair.session.run(pair.client.encrypt(vectors), { refresh: async (c) => pair.client.refresh(c) });
    const decrypted = pair.client.decrypt(outputs);
    const bits = program.outputs.map(({ layout }, i) =>
      bitsOfAgreement(unpack(decrypted.splice(0, layout.ciphertexts), layout, slots), expected[i]!),
    );
    return Math.min(...bits);
  } finally {
    pair.dispose();
  }
}

describe('programs whose tensors lie in several ciphertexts', () => {
  test('agree with the clear on random graphs', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), seeds, fc.constantFrom(4, 8, 16), async (steps, seed, slots) => {
        const graph = randomGraph(steps, seed);
        if (graph.length === 0) return;
        const program = compileGraphFor(graph, PARAMETERS, slots);
        const values = valuesFor(program, seed);
        for (const name of ['x', 'y']) if (!values.has(name)) values.set(name, new Float64Array(0));
        if (ciphertextsOf(program) === 1 || evaluateGraph(graph, values).some((output) => output.some((v) => Math.abs(v) > 8))) return;
        expect(await runAgainst(program, graph, values, 'mock')).toBeGreaterThan(10);
        compared++;
      }),
      { numRuns: 25, seed: 21 },
    );
    expect(compared).toBeGreaterThan(8);
  });

  test.each([
    ['one ciphertext', 512],
    ['a head in a ciphertext', 64],
    ['a part of a head in a ciphertext', 8],
  ])('attention is the same with %s', async (_, slots) => {
    const graph = await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 });
    const program = compileGraphFor(graph, PARAMETERS, slots);
    expect(await runAgainst(program, graph, valuesFor(program, 5), 'mock')).toBeGreaterThan(10);
  });

  test.each(['seal', 'simd'] as const)('run on %s', async (engine) => {
    const graph = await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 2 });
    const program = compileGraphFor(graph, PARAMETERS, 4);
    expect(ciphertextsOf(program)).toBeGreaterThan(1);
    expect(await runAgainst(program, graph, valuesFor(program, 5), engine)).toBeGreaterThan(10);
  });

  test('several inputs and outputs of several ciphertexts keep their order', async () => {
    const graph = await traceFunction(
      (inputs) => {
        const [x, y] = inputs as tf.Tensor[];
        return [tf.sub(tf.mul(x!, y!), 1), tf.concat([y!, x!], 0)] as unknown as tf.Tensor;
      },
      [
        { name: 'x', shape: [3, 8] },
        { name: 'y', shape: [3, 8] },
      ],
    );
    const program = compileGraphFor(graph, PARAMETERS, 16);
    expect(program.inputs.map(({ registers }) => registers.length)).toEqual([2, 2]);
    expect(program.outputs.map(({ layout }) => layout.ciphertexts)).toEqual([2, 4]);
    expect(await runAgainst(program, graph, valuesFor(program, 3), 'mock')).toBeGreaterThan(10);
  });

  test('are made by eager calls for tensors of more values than a ciphertext has slots', async () => {
    const run = await he.runner((x) => tf.mul(tf.square(x), 0.5), { fhe: 'simulate', inputShape: [80, 64], polyModulusDegrees: [8192] });
    try {
      const values = randomValues(5120, 4);
      const result = await run.predict(tf.tensor(Float32Array.from(values), [80, 64]));
      expect(run.program?.outputs.map(({ layout }) => layout.ciphertexts)).toEqual([2]);
      const data = await (result as tf.Tensor).data();
      expect(
        bitsOfAgreement(
          data,
          values.map((v) => v ** 2 / 2),
        ),
      ).toBeGreaterThan(10);
    } finally {
      run.dispose();
    }
  });

  test('survive the round trip through a file', async () => {
    const program = compileGraphFor(await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 }), PARAMETERS, 16);
    expect(parseProgram(serializeProgram(program))).toEqual(program);
  });

  test('are refused from files that have not one register per ciphertext', async () => {
    const program = compileGraphFor(await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 }), PARAMETERS, 16);
    const inputs = program.inputs.map((input) => ({ ...input, registers: input.registers.slice(1) }));
    expect(() => parseProgram(serializeProgram({ ...program, inputs }))).toThrow(
      expect.objectContaining({ code: 'PROGRAM_INVALID', message: expect.stringContaining('not one register per ciphertext') }),
    );
  });
});

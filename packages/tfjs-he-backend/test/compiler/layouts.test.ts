import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { randomGraph } from '../../bench/random_graph.js';
import { programMs } from '../../src/compiler/cost_model.js';
import { defaultCosts } from '../../src/compiler/costs.js';
import { lower } from '../../src/compiler/lower.js';
import { LAYOUT_CHOICES, type LayoutChoice } from '../../src/compiler/options.js';
import { unsplit } from '../../src/compiler/split_tensors.js';
import {
  compileGraph,
  manifestOf,
  type Program,
  parseProgram,
  profile,
  profileTable,
  serializeProgram,
  traceFunction,
} from '../../src/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { tinyAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const OPTIONS = { polyModulusDegrees: [8192], precisionBits: 13, valueBits: 8 } as const;
const FORCED = LAYOUT_CHOICES.filter((layout) => layout !== 'auto');

type Body = (x: tf.Tensor) => tf.Tensor;

const matrix = (rows: number, cols: number): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(randomValues(rows * cols, rows + cols, 1 / Math.sqrt(rows))), [rows, cols]);

const perceptron: Body = (x) => tf.matMul(tf.square(tf.matMul(x, matrix(32, 32))), matrix(32, 32));
const tokenMixing: Body = (x) => tf.matMul(matrix(32, 32), tf.square(tf.matMul(matrix(32, 32), x)));
const convolution: Body = (x) => tf.conv2d(x as tf.Tensor4D, tf.reshape(matrix(9, 4), [3, 3, 1, 4]) as tf.Tensor4D, 2, 'valid');

const CASES: readonly (readonly [string, number[], Body])[] = [
  ['a perceptron of one vector', [1, 32], perceptron],
  ['a perceptron of a few tokens', [4, 32], perceptron],
  ['a perceptron of as many tokens as fit', [128, 32], perceptron],
  ['token mixing', [32, 32], tokenMixing],
  ['a convolution', [1, 12, 12, 1], convolution],
  ['attention', [1, 4, 8], tinyAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 })],
];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const known = new Map<string, Promise<Program>>();

/** A case, compiled once. */
function compiled(name: string, layout: LayoutChoice): Promise<Program> {
  const [, shape, body] = CASES.find(([own]) => own === name)!;
  const key = `${name} ${layout}`;
  const program =
    known.get(key) ??
    traceFunction((x) => body(x as tf.Tensor), [{ name: 'x', shape }]).then((graph) => compileGraph(graph, { ...OPTIONS, layout }));
  known.set(key, program);
  return program;
}

const ms = (program: Program): number => programMs(program, { roundTripMs: 20, costs: defaultCosts('simd') });

describe.each(FORCED)('layout %s', (layout) => {
  test('agrees with tfjs on random graphs', async () => {
    let least = Number.POSITIVE_INFINITY;
    for (const seed of [5001, 5003, 5004, 5006]) {
      const { inputs, body, expected } = randomGraph(1 + (seed % 12), seed);
      const program = compileGraph(await traceFunction((x) => body(Array.isArray(x) ? x : [x]), inputs), { ...OPTIONS, layout });
      least = Math.min(
        least,
        await bitsOf(
          program,
          inputs.map(({ values }) => values),
          expected,
        ),
      );
    }
    expect(least).toBeGreaterThan(8);
  });

  test.each(CASES)('agrees with tfjs: %s', async (name, shape, body) => {
    const values = randomValues(
      shape.reduce((a, b) => a * b),
      5,
      0.8,
    );
    const expected = body(tf.tensor(Float32Array.from(values), shape)).dataSync();
    expect(await bitsOf(await compiled(name, layout), [values], [expected])).toBeGreaterThan(10);
  });
});

/** Least bits of agreement of all outputs on mock. */
async function bitsOf(program: Program, inputs: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): Promise<number> {
  const pair = await openPair(program, 'mock');
  try {
    const { slots } = pair.client.parameters;
    const vectors = program.inputs.flatMap(({ layout }) => pack(inputs[Number(layout.name.slice(1) || 0)]!, layout, slots));
    const { outputs } = await pair.session.run(pair.client.encrypt(vectors), { refresh: async (c) => pair.client.refresh(c) });
    const decrypted = pair.client.decrypt(outputs);
    return Math.min(
      ...program.outputs.map(({ layout }, i) =>
        bitsOfAgreement(unpack(decrypted.splice(0, layout.ciphertexts), layout, slots), expected[i]!),
      ),
    );
  } finally {
    pair.dispose();
  }
}

describe('layouts chosen by cost', () => {
  test.each(CASES)('are as fast as any that is asked for, by prediction: %s', async (name) => {
    const auto = ms(await compiled(name, 'auto'));
    for (const layout of FORCED) expect(auto).toBeLessThanOrEqual(ms(await compiled(name, layout)));
  });

  test.each([
    ['feature-major', 'a perceptron of as many tokens as fit'],
    ['token-major', 'token mixing'],
    ['interleaved', 'a convolution'],
    ['replicated', 'a perceptron of one vector'],
  ] as const)('%s wins for %s', async (best, name) => {
    const programs = await Promise.all(FORCED.map(async (layout) => [layout, ms(await compiled(name, layout))] as const));
    expect(programs.sort(([, a], [, b]) => a - b)[0]![0]).toBe(best);
    expect(profile(await compiled(name, 'auto')).layouts[best]).toBeGreaterThan(0);
  });
});

describe('programs', () => {
  test('tell their layouts in the profile, also from a file', async () => {
    const program = await compiled('a perceptron of a few tokens', 'token-major');
    expect(parseProgram(serializeProgram(program))).toEqual(program);
    expect(profile(program)).toMatchObject({ layouts: { 'token-major': 4 }, ciphertexts: 1 });
    expect(profileTable(profile(program))).toContain('token-major 4');
  });

  test('whose clients repeat inputs have a manifest of version 3', async () => {
    const manifest = manifestOf(await compiled('a perceptron of one vector', 'replicated'));
    expect(manifest).toMatchObject({ version: 3, inputs: [{ copies: expect.arrayContaining([0, 1, 31]) }] });
    expect(manifestOf(await compiled('a perceptron of one vector', 'feature-major')).version).toBe(1);
  });

  test('have at least two ciphertexts when tiles are asked for', async () => {
    expect(profile(await compiled('a perceptron of as many tokens as fit', 'tiled')).ciphertexts).toBe(2);
  });

  test('are refused for a layout that there is not', async () => {
    const graph = await traceFunction((x) => tf.square(x as tf.Tensor), [{ name: 'x', shape: [4] }]);
    expect(() => compileGraph(graph, { layout: 'diagonal' as LayoutChoice })).toThrow(
      expect.objectContaining({
        code: 'PARAMETERS_INVALID',
        hint: 'Use one of auto, feature-major, token-major, interleaved, replicated, tiled.',
      }),
    );
  });

  test('are given up in layouts that cost too much', async () => {
    const graph = await traceFunction((x) => perceptron(x as tf.Tensor), [{ name: 'x', shape: [4, 32] }]);
    expect(() => lower(unsplit(graph), 4096, { family: 'token-major', maxCost: 10 })).toThrow(
      expect.objectContaining({ code: 'COMPILE_FAILED', message: expect.stringContaining('token-major layouts take many times') }),
    );
  });
});

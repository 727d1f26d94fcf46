import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { Recorder } from '../../src/graph/recorder.js';
import { compile, compileGraph, evaluateGraph, profile, profileTable, traceFunction } from '../../src/index.js';
import { tinyAttention, traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const SMALL = { polyModulusDegrees: [8192] };
// Bits are asked for at the noise of a rescaling; random weights amplify it by more than the compiler allows for.
const PRECISE = { ...SMALL, precisionBits: 14 };

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('compile', () => {
  test('attention of any small shape runs on mock with at least 12 bits', async () => {
    const dims = fc.record({
      tokens: fc.integer({ min: 1, max: 6 }),
      heads: fc.integer({ min: 1, max: 3 }),
      headDim: fc.integer({ min: 1, max: 6 }),
      labels: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(dims, fc.integer({ min: 1, max: 1000 }), async (shape, seed) => {
        const graph = await traceAttention(shape, seed);
        const x = randomValues(shape.tokens * shape.heads * shape.headDim, seed + 9);
        const [expected] = evaluateGraph(graph, new Map([['input', x]]));
        const pair = await openPair(compileGraph(graph, PRECISE), 'mock');
        try {
          expect(bitsOfAgreement(await pair.infer(x), expected!)).toBeGreaterThan(12);
        } finally {
          pair.dispose();
        }
      }),
      { numRuns: 10, seed: 7 },
    );
  });

  test('a matmul whose operand does not fit twice is done with masks, as precisely', async () => {
    const shape = { tokens: 40, heads: 1, headDim: 3, labels: 2 };
    const graph = await traceAttention(shape, 3);
    const x = randomValues(120, 4);
    const [expected] = evaluateGraph(graph, new Map([['input', x]]));
    const program = compileGraph(graph, PRECISE);
    const pair = await openPair(program, 'mock');
    try {
      expect(bitsOfAgreement(await pair.infer(x), expected!)).toBeGreaterThan(12);
    } finally {
      pair.dispose();
    }
    expect(program.parameters.polyModulusDegree).toBe(8192);
  });

  test('the tensor graph equals the model in the clear', async () => {
    const shape = { tokens: 4, heads: 2, headDim: 4, labels: 3 };
    const graph = await traceAttention(shape);
    const x = randomValues(32, 5);
    const expected = tinyAttention(shape)(tf.tensor(Float32Array.from(x), [1, 4, 8])).dataSync();
    expect(bitsOfAgreement(evaluateGraph(graph, new Map([['input', x]]))[0]!, expected)).toBeGreaterThan(18);
  });

  test('a LayersModel compiles under its layer names', async () => {
    const model = sequential({
      layers: [layers.dense({ units: 6, inputShape: [4], name: 'first' }), layers.dense({ units: 2, name: 'second' })],
    });
    const program = await compile(model, SMALL);
    expect(program.layers).toEqual(['second']);
    expect(program.outputs[0]?.layout.shape).toEqual([1, 2]);
  });

  test('compiling reports progress and can be cancelled', async () => {
    const model = sequential({ layers: [layers.dense({ units: 2, inputShape: [4] })] });
    const seen: number[] = [];
    await compile(model, { ...SMALL, onProgress: (done, total) => seen.push(done / total) });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(0);
    const controller = new AbortController();
    const compiling = compile(model, { ...SMALL, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(compiling).rejects.toMatchObject({ code: 'ABORTED', op: 'compile' });
  });

  test.each([
    ['securityBits', { securityBits: 80 as 128 }],
    ['precisionBits', { precisionBits: Number.NaN }],
    ['valueBits', { valueBits: -1 }],
    ['polyModulusDegrees', { polyModulusDegrees: [1000] }],
  ])('an option out of range is PARAMETERS_INVALID and named: %s', async (name, options) => {
    const graph = await traceAttention({ tokens: 2, heads: 1, headDim: 2, labels: 2 });
    expect(() => compileGraph(graph, options)).toThrow(
      expect.objectContaining({ code: 'PARAMETERS_INVALID', message: expect.stringContaining(name) }),
    );
  });

  test('parameters keep 128-bit security and a mask slack of 40 bits', async () => {
    const p = profile(
      compileGraph(await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 }), { polyModulusDegrees: [8192, 16384] }),
    );
    expect(p.totalBits).toBeLessThanOrEqual({ 8192: 218, 16384: 438 }[p.polyModulusDegree] ?? 0);
    expect(p.maskSlackBits).toBeGreaterThanOrEqual(40);
    expect(Math.max(...p.coeffModulusBits)).toBeLessThanOrEqual(50);
  });

  test('the profile table names every layer and the ring degree', async () => {
    const program = compileGraph(await traceAttention({ tokens: 2, heads: 1, headDim: 2, labels: 2 }), SMALL);
    const table = profileTable(profile(program));
    for (const text of [...program.layers, '8192']) expect(table).toContain(text);
  });

  test('a tensor of more ciphertexts than a tensor may take is COMPILE_FAILED and says which', async () => {
    const graph = await traceFunction((x) => tf.square(x as tf.Tensor), [{ name: 'x', shape: [1, 64, 8192] }]);
    expect(() => compileGraph(graph, SMALL)).toThrow(
      expect.objectContaining({ code: 'COMPILE_FAILED', message: expect.stringContaining('[1, 64, 8192]') }),
    );
  });

  test('where the largest ring is too small, the hint names no larger one', async () => {
    const graph = await traceFunction((x) => tf.square(x as tf.Tensor), [{ name: 'x', shape: [1, 65, 16384] }]);
    expect(() => compileGraph(graph)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /^COMPILE_FAILED: the tensor \[1, 65, 16384\] of '\w*' takes 128 ciphertexts of 16384 slots, 64 more/,
        ),
        hint: expect.stringMatching(/^Make the sequence/),
      }),
    );
  });

  test('a product of matrices far beyond all rings is refused before anything is laid out', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [2048, 2048]);
    const product = recorder.matMul([2048, 2048], x, x, { batch: 1, m: 2048, k: 2048, n: 2048 });
    expect(() => compileGraph([product])).toThrow(
      expect.objectContaining({ code: 'COMPILE_FAILED', message: expect.stringContaining('takes 256 ciphertexts of 16384 slots') }),
    );
  });

  test('a bias that the modulus of the last level has no room for takes a longer chain', async () => {
    const graph = await traceFunction((x) => tf.add(tf.square(x as tf.Tensor), 1000), [{ name: 'x', shape: [4] }]);
    const pair = await openPair(compileGraph(graph), 'mock');
    try {
      expect(bitsOfAgreement(await pair.infer(Float64Array.of(1, -2, 3, 0.5)), [1001, 1004, 1009, 1000.25])).toBeGreaterThan(12);
    } finally {
      pair.dispose();
    }
  });

  test('a weight that no modulus has room for is refused, with what would help', async () => {
    const graph = await traceFunction((x) => tf.mul(x as tf.Tensor, 1e30), [{ name: 'x', shape: [4] }]);
    expect(() => compileGraph(graph, SMALL)).toThrow(
      expect.objectContaining({
        code: 'COMPILE_FAILED',
        message: expect.stringMatching(/a weight or bias of 1.00e\+30 takes [\d.]+ bits more than the modulus has at level \d/),
        hint: expect.stringMatching(/^Raise valueBits by \d+ or more/),
      }),
    );
  });

  test('the largest ring is searched to its longest chains', async () => {
    const graph = await traceFunction((x) => tf.sum(tf.square(x as tf.Tensor)), [{ name: 'x', shape: [4] }]);
    expect(compileGraph(graph, { polyModulusDegrees: [32768] }).segments).toHaveLength(1);
  });

  test('models that are compiled at the same time are recorded one after the other', async () => {
    const backend = tf.getBackend();
    const programs = await Promise.all(
      [2, 3].map((factor) => compile((x: tf.Tensor) => tf.mul(tf.square(x), factor), { ...SMALL, inputShape: [1, 4] })),
    );
    expect(programs.map((program) => profile(program).depth)).toEqual([1, 1]);
    expect(tf.getBackend()).toBe(backend);
  });

  test('an output that depends on no input is GRAPH_INVALID', async () => {
    const graph = await traceFunction((x) => tf.add(tf.mul(x as tf.Tensor, 0), 1), [{ name: 'x', shape: [1, 3] }]);
    expect(() => compileGraph(graph, SMALL)).toThrow(expect.objectContaining({ code: 'GRAPH_INVALID' }));
  });

  test('a precision out of reach is COMPILE_FAILED', async () => {
    const graph = await traceAttention({ tokens: 2, heads: 1, headDim: 2, labels: 2 });
    expect(() => compileGraph(graph, { ...SMALL, precisionBits: 40 })).toThrow(expect.objectContaining({ code: 'COMPILE_FAILED' }));
  });
});

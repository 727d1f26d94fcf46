import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { type DebugReport, debugProgram, debugTable, HeError } from '../../src/debug/index.js';
import { type Program, traceFunction } from '../../src/index.js';
import { createServer } from '../../src/server/index.js';
import { randomValues } from '../support/random.js';
import { compileSmall } from '../support/small_ring.js';

const LABELS = 4;
const x = randomValues(4, 5);
let program: Program;
let report: DebugReport;
const count = () => program.segments.reduce((sum, { instructions, refreshes }) => sum + instructions.length + refreshes.length, 0);

beforeAll(async () => {
  const weights = tf.tensor2d(Float32Array.from(randomValues(16, 3)), [4, 4]);
  const dense = (input: tf.Tensor) => tf.matMul(input as tf.Tensor2D, weights);
  // Deep enough for two rounds of refreshes.
  const model = (input: tf.Tensor) => tf.square(tf.square(tf.square(dense(tf.square(dense(input))))));
  program = compileSmall(await traceFunction((input) => model(input as tf.Tensor), [{ name: 'x', shape: [1, 4] }]));
  report = await debugProgram(program, [x]);
});

describe('debugProgram', () => {
  test('reports every operation and refresh in order', () => {
    expect(report.steps.length).toBe(count());
    expect(report.steps.map(({ index }) => index)).toEqual(report.steps.map((_, i) => i));
    const instructions = program.segments.flatMap((segment) => segment.instructions.map(({ op }) => op));
    expect(report.steps.flatMap(({ op }) => (op === 'refresh' ? [] : [op]))).toEqual(instructions);
  });

  test('compares the outputs with exact arithmetic in bits', () => {
    const [output] = Object.values(report.outputs);
    for (const { minimum, count: values } of [output!.seal, output!.mock]) {
      expect(minimum).toBeGreaterThan(12);
      expect(values).toBe(LABELS);
    }
  });

  // The worst slot of one run: each side draws its own noise, and SEAL its own keys.
  test('mock has the bits that seal has, within four, at every operation', () => {
    for (const { bits } of report.steps) expect(Math.abs(bits.seal - bits.mock)).toBeLessThan(4);
  });

  test('bits lost are those of the least precise operand minus those of the result', () => {
    let checked = 0;
    for (const [i, step] of report.steps.entries()) {
      const before = report.steps[i - 1];
      if (step.op !== 'relinearize' || before === undefined) continue;
      expect(step.lost.seal).toBeCloseTo(before.bits.seal - step.bits.seal, 9);
      expect(step.lost.mock).toBeCloseTo(before.bits.mock - step.bits.mock, 9);
      checked++;
    }
    expect(checked).toBeGreaterThan(0);
  });

  test('finds nothing outside where values stay small', () => {
    expect(report.outside).toBeNull();
  });

  test('names the first operation whose refreshed value exceeds the bound of the masks, and ends before that refresh', async () => {
    const small = { ...program, parameters: { ...program.parameters, valueBits: 0 } };
    const { outside, steps, outputs } = await debugProgram(small, [x.map((value) => 4 * value)]);
    expect(outside).toMatchObject({ source: 'valueBits', interval: [-1, 1] });
    expect(Math.max(...outside!.range.map(Math.abs))).toBeGreaterThan(1);
    expect(steps[outside!.step]!.op).toBe(outside!.op);
    expect(outputs).toEqual({});
  });

  test('names the first operation that leaves the interval of its layer, and goes on', async () => {
    const layer = report.steps.filter(({ op, segment }) => op === 'rescale' && segment === 0).at(-1)!.layer;
    const { outside, steps } = await debugProgram(program, [x], { intervals: { [layer]: [-1e-9, 1e-9] } });
    expect(outside).toMatchObject({ source: 'layer', layer, interval: [-1e-9, 1e-9] });
    expect(steps.length).toBe(count());
  });

  test('names the operation at which values outgrow the modulus, and ends there', async () => {
    const squares = compileSmall(await traceFunction((input) => tf.square(tf.square(input as tf.Tensor)), [{ name: 'x', shape: [1, 4] }]));
    expect(squares.segments.length).toBe(1);
    const { outside, steps, outputs } = await debugProgram(squares, [x.map((value) => value * 2 ** 14)]);
    expect(outside).toMatchObject({ source: 'modulus', op: squares.segments[0]!.instructions[outside!.step]!.op, step: steps.length });
    expect(outputs).toEqual({});
  });

  test('an unknown layer is refused, and the message names those there are', async () => {
    const run = debugProgram(program, [x], { intervals: { nonsense: [0, 1] } });
    await expect(run).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', message: expect.stringContaining(program.layers[0]!) });
  });

  test('can be aborted', async () => {
    const controller = new AbortController();
    const run = debugProgram(program, [x], { signal: controller.signal, onProgress: (done) => done === 3 && controller.abort() });
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('an input that is not a number is refused before anything is encrypted', async () => {
    await expect(debugProgram(program, [[Number.NaN, 0, 0, 0]])).rejects.toBeInstanceOf(HeError);
  });
});

describe('debugTable', () => {
  test('has a row per layer and round, the outputs and a verdict', () => {
    const table = debugTable(report);
    expect(table).toMatch(/refresh 1 \(\d+\)/);
    expect(table).toContain('(seal)');
    expect(table).toContain('every result stayed in its interval');
  });

  test('has a row per operation on request', () => {
    const lines = debugTable(report, { every: true }).split('\n');
    expect(lines.filter((line) => /^(\d+ \w+ \(|refresh)/.test(line)).length).toBe(report.steps.length);
  });
});

test("a server asked for the engine 'debug' says where to find it", async () => {
  const server = createServer(program, { engine: 'debug' as never });
  await expect(server).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', message: expect.stringContaining('tfjs-he-backend/debug') });
});

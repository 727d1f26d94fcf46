import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { attempt } from '../../src/compiler/attempt.js';
import { checkCircuit, checkEmitted, checkGraph, checkLevels } from '../../src/compiler/check_stages.js';
import { assignLevels } from '../../src/compiler/levels.js';
import { lower } from '../../src/compiler/lower.js';
import type { Lowered } from '../../src/compiler/lowered.js';
import { unsplit } from '../../src/compiler/split_tensors.js';
import { BUG_HINT } from '../../src/errors.js';
import { identity } from '../../src/graph/linear_map.js';
import type { TensorNode } from '../../src/graph/node.js';
import { Recorder } from '../../src/graph/recorder.js';
import { simplify } from '../../src/graph/simplify.js';
import { compileGraph, serializeProgram, traceFunction } from '../../src/index.js';
import { traceAttention } from '../support/attention.js';

const SLOTS = 4096;
const OPTIONS = { maxLevel: 4, refreshLevel: 1, refreshTogether: false };
let graph: TensorNode[];
let lowered: Lowered;

beforeAll(async () => {
  await tf.setBackend('cpu');
  graph = simplify(await traceAttention({ tokens: 4, heads: 2, headDim: 3, labels: 3 }));
  lowered = lower(unsplit(graph), SLOTS);
});

describe('checkers between the stages of the compiler', () => {
  test('accept what the stages make', () => {
    checkGraph(graph);
    checkCircuit(lowered, SLOTS);
    expect(() => checkLevels(assignLevels(lowered.circuit, OPTIONS), OPTIONS)).not.toThrow();
  });

  test("weights that are not finite are the user's mistake, and named", async () => {
    const nodes = await traceFunction((x) => tf.mul(x as tf.Tensor, [1, Number.NaN]), [{ name: 'x', shape: [2] }]);
    expect(() => compileGraph(nodes)).toThrow(
      expect.objectContaining({ code: 'GRAPH_INVALID', hint: expect.stringContaining('Check the model') }),
    );
  });

  test('a map that does not fit its source is a bug of ours', () => {
    const x = new Recorder().input('x', [3]);
    const broken: TensorNode = { kind: 'affine', id: 1, label: 'l', shape: [2], terms: [{ map: identity(2), source: x }], bias: null };
    expect(() => checkGraph([broken])).toThrow(expect.objectContaining({ hint: 'This is a bug of tfjs-he-backend.' }));
  });

  test('a circuit whose values come before their operands is a bug of ours', () => {
    const reversed = { ...lowered, circuit: { ...lowered.circuit, values: [...lowered.circuit.values].reverse() } };
    expect(() => checkCircuit(reversed, SLOTS)).toThrow(/check of the circuit.*bug/);
  });

  test('layouts beyond the slots are a bug of ours', () => {
    expect(() => checkCircuit(lowered, 4)).toThrow(/check of the circuit.*bug/);
  });

  test('an operand that is too low is a bug of ours', () => {
    const leveled = assignLevels(lowered.circuit, OPTIONS);
    const lower = { ...leveled, level: leveled.level.map((level) => Math.min(level, OPTIONS.refreshLevel)) };
    expect(() => checkLevels(lower, OPTIONS)).toThrow(/check of the levels.*bug/);
  });
});

describe('a bug in a program', () => {
  test('is named with the stage and the rule, and is no reason to try other parameters', async () => {
    const program = compileGraph(graph, { polyModulusDegrees: [8192] });
    const broken = { ...program, galoisSteps: [] };
    expect(() => checkEmitted(broken, 'restriction to fewer keys')).toThrow(
      expect.objectContaining({
        code: 'COMPILE_FAILED',
        message: expect.stringMatching(/MISSING_GALOIS_KEY \(check of the restriction to fewer keys\)/),
        hint: BUG_HINT,
      }),
    );
    expect(() => attempt(() => checkEmitted(broken, 'program'))).toThrow(BUG_HINT);
  });

  test('is not seen in what the compiler makes', () => {
    expect(checkEmitted(compileGraph(graph, { polyModulusDegrees: [8192] }), 'program').peakCiphertexts).toBeGreaterThan(1);
  });
});

describe('maxMemoryBytes', () => {
  test('refuses rings that a server has no memory for, with the excess and what would help', () => {
    expect(() => compileGraph(graph, { polyModulusDegrees: [8192], maxMemoryBytes: 2 ** 20 })).toThrow(
      expect.objectContaining({
        code: 'COMPILE_FAILED',
        message: expect.stringMatching(/takes at least [\d.]+ MiB at ring degree 8192, [\d.]+ more than the budget maxMemoryBytes of 1.0/),
        hint: expect.stringContaining('Raise it'),
      }),
    );
  });

  test('of several rings, names the one that takes the least', () => {
    expect(() => compileGraph(graph, { polyModulusDegrees: [8192, 16384], maxMemoryBytes: 2 ** 20 })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('at ring degree 8192'),
        hint: 'Raise it, allow a ring degree of 4096 in polyModulusDegrees, or ask for less precision.',
      }),
    );
  });

  test('leaves programs that fit as they are', () => {
    const unlimited = compileGraph(graph, { polyModulusDegrees: [8192] });
    const limited = compileGraph(graph, { polyModulusDegrees: [8192], maxMemoryBytes: 2 ** 30 });
    expect(serializeProgram(limited)).toEqual(serializeProgram(unlimited));
  });
});

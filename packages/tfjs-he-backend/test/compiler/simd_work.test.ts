import { beforeAll, describe, expect, test } from '@jest/globals';
import { programMs } from '../../src/compiler/cost_model.js';
import { hoistByCost } from '../../src/compiler/hoist_rotations.js';
import { simdWork } from '../../src/compiler/simd_work.js';
import { compileGraph, DEFAULT_SIMD_COSTS, hoistRotations, keySwitchingKeyBytes, type Program, profile } from '../../src/index.js';
import type { Instruction } from '../../src/program/program.js';
import { traceAttention } from '../support/attention.js';

let program: Program;

beforeAll(async () => {
  const graph = await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 });
  program = compileGraph(graph, { polyModulusDegrees: [8192], engine: 'seal' });
});

const at = (op: Partial<Instruction> & { op: string }) => ({ layer: 0, level: 2, ...op }) as Instruction;
const rotate = (out: number, a: number, steps: number) => at({ op: 'rotate', out, a, steps });

/** How often every kernel runs, in the order of instructions. */
function counts(instructions: readonly Instruction[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { name, count } of simdWork({ ...program, segments: [{ instructions, refreshes: [] }] }).flat(2)) {
    total[name] = (total[name] ?? 0) + count;
  }
  return total;
}

describe('work of the simd engine', () => {
  test('rotations of one value are decomposed once', () => {
    expect(counts([rotate(1, 0, 1), rotate(2, 0, 2), rotate(3, 0, 3)])).toMatchObject({ decompose: 1, switchKey: 3 });
    expect(counts([rotate(1, 0, 1), rotate(2, 1, 1), rotate(3, 2, 1)])).toMatchObject({ decompose: 3, switchKey: 3 });
  });

  test('the same rotation twice in a group is computed once', () => {
    expect(counts([rotate(1, 0, 1), rotate(2, 0, 1)])).toMatchObject({ decompose: 1, switchKey: 1 });
  });

  test('a sum of rotations is divided by the special prime once, two polynomials, together with the rescaling', () => {
    const instructions = [
      rotate(1, 0, 1),
      rotate(2, 0, 2),
      at({ op: 'multiplyPlain', out: 3, a: 1, constant: 0 }),
      at({ op: 'accumulatePlain', acc: 3, a: 2, constant: 0 }),
      at({ op: 'rescale', acc: 3, scale: 1 }),
    ];
    expect(counts(instructions)).toMatchObject({ divide: 2, multiplyAccumulate: 4 });
  });

  test('products that nobody uses take nothing', () => {
    expect(counts([at({ op: 'multiply', out: 1, a: 0, b: 0 })])).toEqual({ instruction: 1 });
  });
});

describe('keys for rotations by cost', () => {
  const ms = (p: Program) => programMs(p, { roundTripMs: 20, costs: DEFAULT_SIMD_COSTS });

  test('never take longer, and stay in the budget', () => {
    const keyBytes = keySwitchingKeyBytes(program.parameters.polyModulusDegree, program.parameters.coeffModulus.length);
    for (const extra of [0, 1, 4, 40]) {
      const hoisted = hoistByCost(program, (program.galoisSteps.length + 1 + extra) * keyBytes, ms);
      expect(hoisted.galoisSteps.length).toBeLessThanOrEqual(program.galoisSteps.length + extra);
      expect(ms(hoisted)).toBeLessThanOrEqual(ms(program));
    }
  });

  test('each saves a hundredth of the latency', () => {
    const none = hoistByCost(program, 0, ms);
    const some = hoistByCost(program, 1e9, ms);
    const added = some.galoisSteps.length - none.galoisSteps.length;
    expect(ms(some)).toBeLessThanOrEqual(ms(none) - Math.max(0, added) * 0.0099 * ms(program));
    expect(some.galoisSteps.length).toBeLessThan(hoistRotations(program).galoisSteps.length);
  });

  test('a model compiled for simd is predicted no slower there than one compiled for seal', async () => {
    const graph = await traceAttention({ tokens: 4, heads: 2, headDim: 4, labels: 3 });
    const [seal, simd] = (['seal', 'simd'] as const).map((engine) => profile(compileGraph(graph, { engine }), 20, 'simd').predictedMs);
    expect(simd!).toBeLessThanOrEqual(seal!);
  });
});

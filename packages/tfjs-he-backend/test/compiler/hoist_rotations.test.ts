import { beforeAll, describe, expect, test } from '@jest/globals';
import { rotationGroups } from '../../src/executor/rotation_groups.js';
import type { TensorNode } from '../../src/graph/node.js';
import { evaluateGraph, hoistRotations, keySwitchingKeyBytes, type Program } from '../../src/index.js';
import type { Instruction } from '../../src/program/program.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

const SHAPE = { tokens: 4, heads: 2, headDim: 4, labels: 3 };
const x = randomValues(32, 5);
let graph: TensorNode[];
let program: Program;

beforeAll(async () => {
  graph = await traceAttention(SHAPE);
  program = compileSmall(graph);
});

const rotationsOf = ({ segments }: Program) =>
  segments.map(({ instructions }) => instructions.flatMap((i) => (i.op === 'rotate' ? [i] : [])));
const keyBytes = () => keySwitchingKeyBytes(program.parameters.polyModulusDegree, program.parameters.coeffModulus.length);
const at = (op: Partial<Instruction> & { op: string }) => ({ layer: 0, level: 1, ...op }) as Instruction;

/** Rotations of what is itself a rotation, unchanged in between. */
function chained(p: Program): number {
  let count = 0;
  for (const { instructions } of p.segments) {
    const rotated = new Set<number>();
    for (const instruction of instructions) {
      if (instruction.op !== 'rotate') {
        rotated.delete('out' in instruction ? instruction.out : instruction.acc);
        continue;
      }
      if (rotated.has(instruction.a)) count++;
      rotated.add(instruction.out);
    }
  }
  return count;
}

describe('rotations with a key for every distance', () => {
  test('are not chained, and no more than before', () => {
    const hoisted = hoistRotations(program);
    expect(chained(program)).toBeGreaterThan(0);
    expect(chained(hoisted)).toBe(0);
    hoisted.segments.forEach((_, i) => {
      expect(rotationsOf(hoisted)[i]!.length).toBeLessThanOrEqual(rotationsOf(program)[i]!.length);
    });
  });

  test('use exactly the keys that the program lists', () => {
    const hoisted = hoistRotations(program);
    const steps = new Set(rotationsOf(hoisted).flatMap((rotations) => rotations.map((i) => i.steps)));
    expect(hoisted.galoisSteps).toEqual([...steps].sort((a, b) => a - b));
  });

  test.each([
    ['mock', 1],
    ['simd', 2],
  ] as const)('compute the same on %s with %d threads', async (engine, threads) => {
    const pair = await openPair(hoistRotations(program), engine, { threads });
    const [expected] = evaluateGraph(graph, new Map([['input', x]]));
    expect(bitsOfAgreement(await pair.infer(x), expected!)).toBeGreaterThan(11);
    pair.dispose();
  });
});

test('a budget for one more key than the program has gives at most that', () => {
  const most = program.galoisSteps.length + 1;
  const hoisted = hoistRotations(program, { maxEvaluationKeyBytes: (most + 1) * keyBytes() });
  expect(hoisted.galoisSteps.length).toBeLessThanOrEqual(most);
  expect(chained(hoisted)).toBeLessThanOrEqual(chained(program));
});

test('a value that changes in between is no root', () => {
  const instructions = [
    at({ op: 'rotate', out: 1, a: 0, steps: 1 }),
    at({ op: 'rescale', acc: 0, scale: 1 }),
    at({ op: 'rotate', out: 2, a: 1, steps: 1 }),
    at({ op: 'accumulate', acc: 2, a: 0 }),
    at({ op: 'rotate', out: 3, a: 2, steps: 1 }),
  ];
  const changed = { ...program, segments: [{ instructions, refreshes: [{ from: 3, to: 4 }] }], outputs: [] };
  expect(hoistRotations(changed).segments[0]!.instructions).toEqual(instructions);
});

describe('rotations computed at once', () => {
  const rotate = (out: number, a: number) => at({ op: 'rotate', out, a, steps: out });

  test('are those of one register until it changes', () => {
    const instructions = [rotate(1, 0), rotate(2, 9), rotate(3, 0), at({ op: 'rescale', acc: 0, scale: 1 }), rotate(4, 0), rotate(5, 0)];
    expect([...rotationGroups(instructions)]).toEqual([
      [0, [0, 2]],
      [4, [4, 5]],
    ]);
  });

  test('are sixteen at most', () => {
    const groups = rotationGroups(Array.from({ length: 40 }, (_, i) => rotate(i + 1, 0)));
    expect([...groups.values()].map((group) => group.length)).toEqual([16, 16, 8]);
  });
});

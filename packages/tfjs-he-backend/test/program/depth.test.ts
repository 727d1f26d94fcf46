import { expect, test } from '@jest/globals';
import { layerDepths, programDepth } from '../../src/program/depth.js';
import type { Instruction, Program } from '../../src/program/program.js';

/** Squares a register and rescales it, `times` times, into the registers that follow. */
function squares(layer: number, from: number, to: number, times: number): Instruction[] {
  return Array.from({ length: times }, (_, i): Instruction[] => [
    { op: 'square', layer, level: 1, a: i === 0 ? from : to + i - 1, out: to + i },
    { op: 'rescale', layer, level: 1, acc: to + i, scale: 1 },
  ]).flat();
}

const PROGRAM = {
  layers: ['first', 'short', 'long', 'sum', 'empty'],
  segments: [
    { instructions: squares(0, 0, 1, 2), refreshes: [{ from: 2, to: 3 }] },
    {
      instructions: [...squares(1, 3, 10, 1), ...squares(2, 3, 20, 3), { op: 'add', layer: 3, level: 1, a: 10, b: 22, out: 30 }],
      refreshes: [],
    },
  ],
  outputs: [{ registers: [30] }],
} as unknown as Program; // the parts that depths follow from

test('the depth of a program is that of its longest way, through refreshes', () => {
  expect(programDepth(PROGRAM)).toBe(5);
});

test('the depth of a layer is its own, and counted from the inputs', () => {
  expect(layerDepths(PROGRAM)).toEqual([
    { depth: 2, depthSoFar: 2 },
    { depth: 1, depthSoFar: 3 },
    { depth: 3, depthSoFar: 5 },
    { depth: 0, depthSoFar: 5 },
    { depth: 0, depthSoFar: 0 },
  ]);
});

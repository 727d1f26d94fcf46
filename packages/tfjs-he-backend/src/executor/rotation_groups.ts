import { type Instruction, type Register, writeOf } from '../program/program.js';

/** Rotations computed together, which bounds the memory they take before they are used, and the time until a run hears of an abort. */
const MOST = 16;

/**
 * Rotations of one value in a segment that an engine may compute at once, at the place of the first: their positions by that of the first, in order, groups of two
 * and more. An instruction that changes the register in place ends its group.
 */
export function rotationGroups(instructions: readonly Instruction[]): ReadonlyMap<number, readonly number[]> {
  const groups: number[][] = [];
  const open = new Map<Register, number[]>();
  for (const [position, instruction] of instructions.entries()) {
    if (instruction.op === 'rotate') {
      const group = open.get(instruction.a);
      if (group !== undefined && group.length < MOST) group.push(position);
      else {
        const started = [position];
        groups.push(started);
        open.set(instruction.a, started);
      }
    }
    open.delete(writeOf(instruction));
  }
  return new Map(groups.filter((group) => group.length > 1).map((group) => [group[0] ?? 0, group]));
}

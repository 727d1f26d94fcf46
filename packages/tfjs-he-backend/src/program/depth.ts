import { outputRegisters, type Program, type Register, readsOf, writeOf } from './program.js';

/** Levels on the longest way from an input to an output, through refreshes: what the chain would need without them. */
export function programDepth(program: Program): number {
  const depths = new Map<Register, number>();
  const depthOf = (register: Register): number => depths.get(register) ?? 0;
  for (const { instructions, refreshes } of program.segments) {
    for (const instruction of instructions) {
      const own = instruction.op === 'rescale' ? 1 : 0;
      depths.set(writeOf(instruction), Math.max(...readsOf(instruction).map(depthOf)) + own);
    }
    for (const { from, to } of refreshes) depths.set(to, depthOf(from));
  }
  return Math.max(0, ...outputRegisters(program).map(depthOf));
}

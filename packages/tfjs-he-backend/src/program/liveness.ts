import { type Instruction, outputRegisters, type Program, type Register, readsOf, writeOf } from './program.js';

/** For every instruction (by segment, by position): the registers nobody reads afterwards, in any segment. */
export function lastUses(program: Program): (readonly Register[])[][] {
  const needed = new Set<Register>(outputRegisters(program));
  const dying: (readonly Register[])[][] = program.segments.map(() => []);
  for (let s = program.segments.length - 1; s >= 0; s--) {
    const { instructions, refreshes } = program.segments[s] ?? { instructions: [], refreshes: [] };
    for (const { from } of refreshes) needed.add(from);
    const segment: (readonly Register[])[] = new Array(instructions.length);
    for (let i = instructions.length - 1; i >= 0; i--) {
      const instruction = instructions[i];
      if (instruction === undefined) continue;
      segment[i] = touched(instruction).filter((register) => !needed.has(register));
      for (const register of touched(instruction)) needed.add(register);
    }
    dying[s] = segment;
  }
  return dying;
}

/** For every segment: the registers that later segments or the outputs need. */
export function neededAfter(program: Program): ReadonlySet<Register>[] {
  const needed = new Set<Register>(outputRegisters(program));
  const after: ReadonlySet<Register>[] = new Array(program.segments.length);
  for (let s = program.segments.length - 1; s >= 0; s--) {
    after[s] = new Set(needed);
    const { instructions, refreshes } = program.segments[s] ?? { instructions: [], refreshes: [] };
    for (const { from } of refreshes) needed.add(from);
    for (const instruction of instructions) for (const register of touched(instruction)) needed.add(register);
  }
  return after;
}

function touched(instruction: Instruction): Register[] {
  return [...new Set([...readsOf(instruction), writeOf(instruction)])];
}

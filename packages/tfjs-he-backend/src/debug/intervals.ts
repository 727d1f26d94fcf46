import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { type Instruction, outputRegisters, type Program, type Register, readsOf, writeOf } from '../program/program.js';

/** Least and largest value that a tensor may take. */
export type Interval = readonly [low: number, high: number];

/** What a result is held against, and who said so. */
export interface DeclaredInterval {
  readonly interval: Interval;
  /** `valueBits`: the bound on refreshed values; `layer`: given by the caller for the layer. */
  readonly source: 'valueBits' | 'layer';
}

/**
 * The intervals of a program's results, by instruction. A register is held against an interval where it is written for the last time: against
 * 2^valueBits when it is refreshed next, against its layer's when another layer, a refresh or an output reads it. Sums under way are free.
 * @throws HeError PARAMETERS_INVALID for an interval of an unknown layer, or an empty one.
 */
export function declaredIntervals(
  program: Program,
  parameters: Parameters,
  layers: Readonly<Record<string, Interval>>,
): ReadonlyMap<Instruction, readonly DeclaredInterval[]> {
  for (const [name, [low, high]] of Object.entries(layers)) {
    if (program.layers.includes(name) && low <= high) continue;
    throw new HeError('PARAMETERS_INVALID', program.layers.includes(name) ? `the interval of '${name}' is empty` : `no layer '${name}'`, {
      op: 'debugProgram',
      hint: `The layers are ${program.layers.join(', ')}.`,
    });
  }
  const bound = 2 ** parameters.valueBits;
  const outputs = new Set(outputRegisters(program));
  const found = new Map<Instruction, readonly DeclaredInterval[]>();
  for (const segment of program.segments) {
    const lastWrite = new Map<Register, Instruction>();
    for (const instruction of segment.instructions) lastWrite.set(writeOf(instruction), instruction);
    const refreshed = new Set(segment.refreshes.map(({ from }) => from));
    const abroad = readElsewhere(program, lastWrite);
    for (const [register, instruction] of lastWrite) {
      const held: DeclaredInterval[] = [];
      if (refreshed.has(register)) held.push({ interval: [-bound, bound], source: 'valueBits' });
      const own = layers[program.layers[instruction.layer] ?? ''];
      if (own !== undefined && (refreshed.has(register) || outputs.has(register) || abroad.has(register))) {
        held.push({ interval: own, source: 'layer' });
      }
      if (held.length > 0) found.set(instruction, held);
    }
  }
  return found;
}

/** Registers of `written` that an instruction of another layer reads. */
function readElsewhere(program: Program, written: ReadonlyMap<Register, Instruction>): Set<Register> {
  const read = new Set<Register>();
  for (const { instructions } of program.segments) {
    for (const instruction of instructions) {
      for (const register of readsOf(instruction)) {
        const source = written.get(register);
        if (source !== undefined && source.layer !== instruction.layer) read.add(register);
      }
    }
  }
  return read;
}

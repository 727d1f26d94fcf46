import type { Instruction, Program } from '../program/program.js';
import { type CostEngine, type CostName, type Costs, costName, costOf, costUnits, type SimdCostName } from './costs.js';
import { simdWork } from './simd_work.js';

/** Something that takes an engine time, at so many primes, `count` times. */
export interface Work {
  readonly name: CostName | SimdCostName;
  readonly primes: number;
  readonly count: number;
}

/** What every instruction makes an engine do: by segment, then by position. */
export type ProgramWork = readonly (readonly (readonly Work[])[])[];

/** node-seal does what it is told at once; the simd engine puts work off and shares it between instructions. */
export function programWork(program: Program, engine: CostEngine): ProgramWork {
  return engine === 'simd' ? simdWork(program) : program.segments.map(({ instructions }) => instructions.map(sealWork));
}

function sealWork(instruction: Instruction): Work[] {
  return [{ name: costName(instruction), primes: instruction.level + 1, count: 1 }];
}

/** Milliseconds of work at ring degree `n`, warm (constants encoded). */
export function workMs(work: readonly Work[], n: number, costs: Costs): number {
  let total = 0;
  for (const { name, primes, count } of work) total += count * costOf(costs, name) * costUnits(name, n, primes);
  return total;
}

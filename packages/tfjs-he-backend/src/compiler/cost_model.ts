import type { Instruction, Program } from '../program/program.js';
import { type Costs, costName, costUnits, DEFAULT_COSTS } from './costs.js';

export interface CostOptions {
  /** Network time of one refresh round in ms, both ways. */
  readonly roundTripMs: number;
  /** Of the machine and engine (default: node-seal on one core). */
  readonly costs?: Costs;
}

/** Milliseconds of one instruction at ring degree `n`, warm (constants encoded). */
export function instructionMs(instruction: Instruction, n: number, costs = DEFAULT_COSTS): number {
  const name = costName(instruction);
  return costs[name] * costUnits(name, n, instruction.level + 1);
}

/** Milliseconds of a whole program, refresh rounds included. */
export function programMs(program: Program, { roundTripMs, costs = DEFAULT_COSTS }: CostOptions): number {
  const n = program.parameters.polyModulusDegree;
  const perRefresh = costs.refresh * costUnits('refresh', n, program.parameters.coeffModulus.length - 1);
  let total = 0;
  for (const segment of program.segments) {
    for (const instruction of segment.instructions) total += instructionMs(instruction, n, costs);
    if (segment.refreshes.length > 0) total += roundTripMs + perRefresh * segment.refreshes.length;
  }
  return total;
}

/** Bytes of one key-switching key: 16 N k (k - 1) for k primes in all. */
export function keySwitchingKeyBytes(polyModulusDegree: number, primes: number): number {
  return 16 * polyModulusDegree * primes * (primes - 1);
}

/** Relinearisation key and all Galois keys, as they lie in the server's memory. */
export function evaluationKeyBytes(program: Program): number {
  const { polyModulusDegree, coeffModulus } = program.parameters;
  return (program.galoisSteps.length + 1) * keySwitchingKeyBytes(polyModulusDegree, coeffModulus.length);
}

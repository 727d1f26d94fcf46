import type { Instruction, Program } from '../program/program.js';
import { type Costs, costName, costOf, costUnits, DEFAULT_COSTS, engineOf } from './costs.js';
import { programWork, workMs } from './work.js';

export interface CostOptions {
  /** Network time of one refresh round in ms, both ways. */
  readonly roundTripMs: number;
  /** Of the machine and engine (default: node-seal on one core). */
  readonly costs?: Costs;
}

/** Milliseconds of one instruction of node-seal at ring degree `n`, warm (constants encoded): relative weights, whatever the engine. */
export function instructionMs(instruction: Instruction, n: number): number {
  const name = costName(instruction);
  return DEFAULT_COSTS[name] * costUnits(name, n, instruction.level + 1);
}

/** Milliseconds of every instruction on the engine of the costs: by segment, then by position. */
export function instructionTimes(program: Program, costs: Costs): number[][] {
  const n = program.parameters.polyModulusDegree;
  return programWork(program, engineOf(costs)).map((segment) => segment.map((work) => workMs(work, n, costs)));
}

/** Milliseconds of a whole program, refresh rounds included. */
export function programMs(program: Program, { roundTripMs, costs = DEFAULT_COSTS }: CostOptions): number {
  const n = program.parameters.polyModulusDegree;
  const perRefresh = refreshMs(n, program.parameters.coeffModulus.length - 1, costs);
  let total = 0;
  for (const segment of instructionTimes(program, costs)) for (const ms of segment) total += ms;
  for (const { refreshes } of program.segments) if (refreshes.length > 0) total += roundTripMs + perRefresh * refreshes.length;
  return total;
}

/** Milliseconds that client and server need for one ciphertext of a refresh round, at `primes` data primes. */
export function refreshMs(n: number, primes: number, costs: Costs): number {
  return costOf(costs, 'refresh') * costUnits('refresh', n, primes);
}

/** Milliseconds to encode all constants, once a server. */
export function encodeMs(program: Program, costs: Costs): number {
  const n = program.parameters.polyModulusDegree;
  return program.constants.reduce((sum, { level }) => sum + costOf(costs, 'encode') * costUnits('encode', n, level + 1), 0);
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

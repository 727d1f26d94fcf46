import type { Instruction, Program } from '../program/program.js';

/**
 * Predicted milliseconds of node-seal 7 on one core, warm (constants encoded), from counts of transforms and products. The constants were
 * measured on a 2-vCPU Xeon with Node 24; they matter relative to each other.
 */
const NTT_MS_PER_POINT = 1.79e-6; // times N log2 N
const KEY_SWITCH_OVERHEAD = 1.35; // inner products beside the transforms
const PRODUCT_MS_PER_COEFFICIENT = 1.07e-5;
const ADD_MS_PER_COEFFICIENT = 1.4e-6;
const REFRESH_MS_PER_COEFFICIENT = 4e-4;

export interface CostOptions {
  /** Network time of one refresh round in ms, both ways. */
  readonly roundTripMs: number;
}

/** Milliseconds of one instruction at ring degree `n`. */
export function instructionMs(instruction: Instruction, n: number): number {
  const primes = instruction.level + 1;
  const coefficients = n * primes;
  const ntt = NTT_MS_PER_POINT * n * Math.log2(n);
  switch (instruction.op) {
    case 'rotate':
    case 'relinearize':
      return KEY_SWITCH_OVERHEAD * ntt * (primes * primes + 3 * primes + 2);
    case 'rescale':
      return 2 * ntt * primes;
    case 'multiplyPlain':
      return 2 * PRODUCT_MS_PER_COEFFICIENT * coefficients;
    case 'accumulatePlain':
      return 2 * (PRODUCT_MS_PER_COEFFICIENT + ADD_MS_PER_COEFFICIENT) * coefficients;
    case 'multiply':
    case 'square':
      return 4 * PRODUCT_MS_PER_COEFFICIENT * coefficients;
    case 'accumulateProduct':
      return (4 * PRODUCT_MS_PER_COEFFICIENT + 3 * ADD_MS_PER_COEFFICIENT) * coefficients;
    default:
      return 2 * ADD_MS_PER_COEFFICIENT * coefficients;
  }
}

/** Milliseconds of a whole program, refresh rounds included. */
export function programMs(program: Program, { roundTripMs }: CostOptions): number {
  const n = program.parameters.polyModulusDegree;
  const perRefresh = REFRESH_MS_PER_COEFFICIENT * n * (program.parameters.coeffModulus.length - 1);
  let total = 0;
  for (const segment of program.segments) {
    for (const instruction of segment.instructions) total += instructionMs(instruction, n);
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

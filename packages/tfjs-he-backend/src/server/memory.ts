import { checkProgram } from '../compiler/check.js';
import {
  contextBytes,
  encoderBytes,
  keyBytes,
  polynomialBytes,
  simdContextBytes,
  simdKeyBytes,
  simdPlaintextBytes,
} from '../engines/memory.js';
import { HeError } from '../errors.js';
import type { MemoryLimits } from '../executor/worker_messages.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import { ROTATIONS_AT_ONCE } from '../simd/rotations.js';
import { MOST_TERMS } from '../simd/sums.js';
import type { ServerEngine } from './types.js';

/**
 * Default limit on what a server allocates in WebAssembly. The heap ends at 4 GiB, and SEAL hangs rather than fails near the end: the rest is for
 * its scratch memory, which never shrinks.
 */
export const MEMORY_LIMIT = 3 * 2 ** 30;

/** Default limit on what it keeps outside of WebAssembly: half of what the system has free, at most 8 GiB; in browsers, which do not tell, 512 MiB. */
export function defaultOutsideBytes(): number {
  const os = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:os');
  return os === undefined ? 512 * 2 ** 20 : Math.min(8 * 2 ** 30, Math.floor(os.freemem() / 2));
}

/** WebAssembly memory of a server with one session, in bytes, if all is there at once: exact but for the contexts, which are estimated. */
export interface ServerMemory {
  readonly contexts: number;
  readonly constants: number;
  /** Of one session. */
  readonly keys: number;
  /** Of one run, at its peak. */
  readonly ciphertexts: number;
}

function constantBytes(program: Program, { polyModulusDegree: n }: Parameters, engine: ServerEngine): number[] {
  if (engine === 'simd') return program.constants.map(({ values, level }) => simdPlaintextBytes(values, n / 2, level));
  return program.constants.map(({ level }) => polynomialBytes(n, level));
}

const sum = (bytes: readonly number[]): number => bytes.reduce((total, one) => total + one, 0);

/**
 * Constants encoded, keys of one session loaded, and the ciphertexts of one run at its peak; nothing for `mock`, whose values are ordinary arrays.
 * @param peak most bytes of ciphertexts at once, if known
 */
export function serverMemory(
  program: Program,
  parameters: Parameters,
  engine: ServerEngine,
  peak = checkProgram(program).peakCiphertextBytes,
): ServerMemory {
  const { polyModulusDegree: n, coeffModulus } = parameters;
  if (engine === 'mock') return { contexts: 0, constants: 0, keys: 0, ciphertexts: 0 };
  const constants = sum(constantBytes(program, parameters, engine));
  const ciphertexts = peak;
  const keys = program.galoisSteps.length + 1;
  if (engine === 'simd') return { contexts: simdContextBytes(parameters), constants, keys: keys * simdKeyBytes(parameters), ciphertexts };
  const levels = [...new Set(program.constants.map(({ level }) => level))];
  const encoders = sum(levels.map((level) => contextBytes(n, level + 2, false) + encoderBytes(n)));
  return { contexts: contextBytes(n, coeffModulus.length, true) + encoders, constants, keys: keys * keyBytes(parameters), ciphertexts };
}

/**
 * The same with as few constants and keys at once as the engine can work with.
 * @param outside most bytes of keys outside of WebAssembly: with less than those of a session, all are inside
 * @param peak most bytes of ciphertexts at once, if known
 */
export function leastServerMemory(
  program: Program,
  parameters: Parameters,
  engine: ServerEngine,
  outside: number,
  peak?: number,
): ServerMemory {
  const all = serverMemory(program, parameters, engine, peak);
  const largest = constantBytes(program, parameters, engine).reduce((most, bytes) => Math.max(most, bytes), 0);
  if (engine !== 'simd') return { ...all, constants: Math.min(all.constants, largest) };
  return {
    ...all,
    constants: Math.min(all.constants, MOST_TERMS * largest),
    keys: outside < all.keys ? all.keys : Math.min(all.keys, ROTATIONS_AT_ONCE * simdKeyBytes(parameters)),
  };
}

/** Before a server allocates anything. @throws HeError MEMORY_BUDGET with the limit, the excess, and the option that helps. */
export function requireServerMemory(least: ServerMemory, limit: number): void {
  const needed = totalMemory(least);
  if (needed <= limit) return;
  const parts = Object.entries(least).map(([name, bytes]) => `${name} ${mebibytes(bytes)}`);
  throw new HeError(
    'MEMORY_BUDGET',
    `a server of this program takes at least ${mebibytes(needed)} MiB (${parts.join(', ')}), ${mebibytes(needed - limit)} more than the limit of ${mebibytes(limit)}`,
    { op: 'createServer', hint: advice(least, limit) },
  );
}

/**
 * Shares what contexts and ciphertexts leave of a limit that is at least the least: all to everything if it fits, else at most half to either of constants and keys,
 * and the rest to the other.
 */
export function shareMemory(all: ServerMemory, least: ServerMemory, limit: number): MemoryLimits {
  const room = limit - all.contexts - all.ciphertexts;
  const wanted = all.constants + all.keys <= room ? all.constants : Math.max(room - all.keys, Math.min(all.constants, room / 2));
  const constants = Math.max(least.constants, Math.min(wanted, room - least.keys));
  return { constants, keys: room - constants };
}

/** What sessions take, in bytes. */
export interface SessionMemory {
  /** Keys of the sessions there are, and of the one to be opened. */
  readonly keys: number;
  /** Ciphertexts that are alive. */
  readonly ciphertexts: number;
}

/**
 * Before a session's keys are loaded. What is made on first use (contexts, constants) and the peak of a run count as if they were there.
 * @param outside most bytes of keys outside of WebAssembly; 0: the engine keeps them all inside
 * @throws HeError MEMORY_BUDGET.
 */
export function requireSessionMemory(
  all: ServerMemory,
  plan: MemoryLimits,
  { keys, ciphertexts }: SessionMemory,
  limit: number,
  outside: number,
): void {
  const free = limit - all.contexts - plan.constants - all.ciphertexts - ciphertexts;
  // A key that had to leave the memory once has a copy outside for good: there must be room for all of them, or none is ever moved.
  const inside = outside >= keys ? Math.min(keys, plan.keys) : keys;
  if (inside <= free) return;
  throw new HeError(
    'MEMORY_BUDGET',
    `the keys of another session take ${mebibytes(all.keys)} MiB, ${mebibytes(inside - free)} more than are free of the limit of ${mebibytes(limit)}`,
    {
      op: 'openSession',
      hint: `Close other sessions, compile with a smaller maxEvaluationKeyBytes, ${outside > 0 ? 'raise outsideBytes, ' : ''}or start another process.`,
    },
  );
}

/** All together, in bytes. */
export function totalMemory({ contexts, constants, keys, ciphertexts }: ServerMemory): number {
  return contexts + constants + keys + ciphertexts;
}

function advice(memory: ServerMemory, limit: number): string {
  const forKeys = limit - (totalMemory(memory) - memory.keys);
  const raise = 'or raise memoryBytes if the heap (4 GiB) has room';
  if (memory.keys >= memory.constants && forKeys > 0) {
    return `Compile with maxEvaluationKeyBytes ${Math.floor(forKeys / 1e6) * 1e6} or less, ${raise}.`;
  }
  return `Compile with smaller polyModulusDegrees or less precisionBits, split the model, ${raise}.`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

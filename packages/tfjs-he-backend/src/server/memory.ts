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
import type { Parameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import type { ServerEngine } from './types.js';

/**
 * Default limit on what a server allocates in WebAssembly. The heap ends at 4 GiB, and SEAL hangs rather than fails near the end: the rest is for
 * its scratch memory, which never shrinks.
 */
export const MEMORY_LIMIT = 3 * 2 ** 30;

/** WebAssembly memory of a server with one session, in bytes: exact but for the contexts, which are estimated. */
export interface ServerMemory {
  readonly contexts: number;
  readonly constants: number;
  /** Of one session. */
  readonly keys: number;
  /** Of one run, at its peak. */
  readonly ciphertexts: number;
}

export function serverMemory(program: Program, parameters: Parameters, engine: ServerEngine): ServerMemory {
  const { polyModulusDegree: n, coeffModulus } = parameters;
  if (engine === 'mock') return { contexts: 0, constants: 0, keys: 0, ciphertexts: 0 };
  if (engine === 'simd') {
    return {
      contexts: simdContextBytes(parameters),
      constants: program.constants.reduce((sum, { values, level }) => sum + simdPlaintextBytes(values, n / 2, level), 0),
      keys: (program.galoisSteps.length + 1) * simdKeyBytes(parameters),
      ciphertexts: checkProgram(program).peakCiphertextBytes,
    };
  }
  const levels = [...new Set(program.constants.map(({ level }) => level))];
  const encoders = levels.reduce((sum, level) => sum + contextBytes(n, level + 2, false) + encoderBytes(n), 0);
  return {
    contexts: contextBytes(n, coeffModulus.length, true) + encoders,
    constants: program.constants.reduce((sum, { level }) => sum + polynomialBytes(n, level), 0),
    keys: (program.galoisSteps.length + 1) * keyBytes(parameters),
    ciphertexts: checkProgram(program).peakCiphertextBytes,
  };
}

/** Before a server allocates anything. @throws HeError MEMORY_BUDGET with the limit, the excess, and the option that helps. */
export function requireServerMemory(memory: ServerMemory, limit: number): void {
  const needed = total(memory);
  if (needed <= limit) return;
  const parts = Object.entries(memory).map(([name, bytes]) => `${name} ${mebibytes(bytes)}`);
  throw new HeError(
    'MEMORY_BUDGET',
    `a server of this program takes ${mebibytes(needed)} MiB (${parts.join(', ')}), ${mebibytes(needed - limit)} more than the limit of ${mebibytes(limit)}`,
    { op: 'createServer', hint: advice(memory, limit) },
  );
}

/**
 * Before a session's keys are loaded. What is made on first use (contexts, constants) and the peak of a run count as if they were there.
 * @param used bytes of the keys and ciphertexts there are.
 * @throws HeError MEMORY_BUDGET.
 */
export function requireSessionMemory(memory: ServerMemory, used: number, limit: number): void {
  const free = limit - memory.contexts - memory.constants - memory.ciphertexts - used;
  if (memory.keys <= free) return;
  throw new HeError(
    'MEMORY_BUDGET',
    `the keys of another session take ${mebibytes(memory.keys)} MiB, ${mebibytes(memory.keys - free)} more than are free of the limit of ${mebibytes(limit)}`,
    { op: 'openSession', hint: 'Close other sessions, compile with a smaller maxEvaluationKeyBytes, or start another process.' },
  );
}

function total({ contexts, constants, keys, ciphertexts }: ServerMemory): number {
  return contexts + constants + keys + ciphertexts;
}

function advice(memory: ServerMemory, limit: number): string {
  const forKeys = limit - (total(memory) - memory.keys);
  const raise = 'or raise memoryBytes if the heap (4 GiB) has room';
  if (memory.keys >= memory.constants && forKeys > 0) {
    return `Compile with maxEvaluationKeyBytes ${Math.floor(forKeys / 1e6) * 1e6} or less, ${raise}.`;
  }
  return `Compile with smaller polyModulusDegrees or less precisionBits, split the model, ${raise}.`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

import { defaultServerEngine, type Execution, type ServerEngine, type ServerOptions } from 'tfjs-he-backend/server';
import type { EncryptedFhe } from './he_model_client.js';

/** How a server evaluates; `ServerOptions` of tfjs-he-backend tells more of each. */
export interface EvaluatorOptions extends Pick<ServerOptions, 'workers' | 'memoryBytes' | 'outsideBytes' | 'rerandomize'> {
  /**
   * Default for `execute`: `simd`, or `seal`, which computes the same and is slower, where the runtime has no WebAssembly SIMD. For `simulate`: `mock`. The server says in
   * `engine` which it is.
   */
  readonly engine?: ServerEngine;
  /**
   * Threads of `simd` that share every operation, 1 to 64: default 2, and 1 on a machine with one core or beside `workers`. Where threads cannot share memory (pages that
   * are not isolated from other origins) there is one; the server says in `execution` how many there are.
   */
  readonly threads?: number;
}

/** Who evaluated, and how. */
export interface Evaluator {
  readonly engine: ServerEngine;
  readonly execution: Execution;
}

/** Operations are divided in two well; with more threads, most of them wait. */
const DEFAULT_THREADS = 2;

/** Engine and threads of a server, as asked for or by default. */
export function evaluatorOf(
  fhe: EncryptedFhe,
  { engine, threads, workers = 0 }: EvaluatorOptions,
): { readonly engine: ServerEngine; readonly threads: number } {
  return {
    engine: engine ?? (fhe === 'execute' ? defaultServerEngine() : 'mock'),
    threads: threads ?? (workers === 0 ? Math.min(DEFAULT_THREADS, cores()) : 1),
  };
}

function cores(): number {
  return typeof navigator === 'undefined' ? 1 : navigator.hardwareConcurrency;
}

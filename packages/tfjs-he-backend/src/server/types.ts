import type { EngineName } from '../engines/engine.js';
import type { Ledger } from '../engines/ledger.js';
import type { RunOptions, RunResult } from '../executor/types.js';
import type { Manifest } from '../wire/manifest.js';

export type ServerEngine = Exclude<EngineName, 'empty'>;

export const SERVER_ENGINES: readonly ServerEngine[] = ['seal', 'mock'];

export interface ServerOptions {
  /** `seal` computes on ciphertexts; `mock` on float64 values with the same rules and noise: no privacy, for tests and studies. */
  readonly engine: ServerEngine;
  /** Secret of the refresh masks, 32 bytes; default: drawn at random. */
  readonly maskKey?: Uint8Array;
  /** Seed of the mock engine's noise. */
  readonly seed?: number;
}

/** One client's evaluation keys, loaded. */
export interface Session {
  readonly ledger: Ledger;
  /**
   * Evaluates the program on encrypted inputs (wire form, in the order of manifest.inputs).
   * @throws HeError WIRE_* (inputs or refreshed ciphertexts malformed), ABORTED, and those of the engine.
   */
  run(inputs: readonly Uint8Array[], options: RunOptions): Promise<RunResult>;
  dispose(): void;
}

export interface PrepareOptions {
  /** Called with the constants encoded so far, at most some forty times a second. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Holder of the program: has no way to decrypt. */
export interface Server {
  readonly engine: ServerEngine;
  readonly manifest: Manifest;
  /** Bytes of all keys of one session in memory, and of the uploaded form. */
  readonly evaluationKeyBytes: number;
  /**
   * Encodes all constants now instead of during the first run. Yields to the event loop in between.
   * @throws HeError ABORTED.
   */
  prepare(options?: PrepareOptions): Promise<void>;
  /** Loads a client's evaluation keys (as made by Client.evaluationKeys). @throws HeError WIRE_*. */
  openSession(evaluationKeys: Uint8Array): Promise<Session>;
  dispose(): void;
}

import type { EngineName } from '../engines/engine.js';
import type { Ledger } from '../engines/ledger.js';
import type { KeepOptions, Run, RunOptions, RunResult } from '../executor/types.js';
import type { Manifest } from '../wire/manifest.js';

export type ServerEngine = Exclude<EngineName, 'empty'>;

export const SERVER_ENGINES: readonly ServerEngine[] = ['seal', 'simd', 'mock'];

export interface ServerOptions {
  /** `seal` and `simd` compute on ciphertexts, with SEAL and with our own, faster evaluator; `mock` on float64 values with the same rules and noise: no privacy, for tests and studies. */
  readonly engine: ServerEngine;
  /** Secret of the refresh masks, 32 bytes; default: drawn at random. */
  readonly maskKey?: Uint8Array;
  /**
   * Adds a fresh encryption of zero to every ciphertext that leaves, so that its second polynomial says nothing of the weights (default: not), and to
   * outputs noise of `floodBits` bits a coefficient, which drowns that of the evaluation (default 0; `rerandomizedBits` tells what outputs keep).
   * Sessions then need the client's public key. SECURITY.md says what this hides.
   */
  readonly rerandomize?: { readonly floodBits?: number };
  /** Seed of the mock engine's noise. */
  readonly seed?: number;
  /** Threads of the simd engine that share every operation over one memory (default 1). In Node; elsewhere there is one. */
  readonly threads?: number;
  /**
   * Threads that evaluate the independent operations of a segment in parallel (default 0: none but this one), each with an engine, constants and keys
   * of its own. Dispose of the server to end them. A bundle that moves the code of workers gives its address.
   */
  readonly workers?: number | { readonly count: number; readonly url?: URL };
  /** Most WebAssembly memory that program and sessions may take, in bytes (default 3 GiB of the heap's 4), by thread. Not for `mock`. */
  readonly memoryBytes?: number;
}

/** One client's evaluation keys, loaded. */
export interface Session {
  readonly ledger: Ledger;
  /**
   * Evaluates the program on encrypted inputs (wire form, in the order of manifest.inputs).
   * @throws HeError WIRE_* (inputs or refreshed ciphertexts malformed), ABORTED, and those of the engine.
   */
  run(inputs: readonly Uint8Array[], options: RunOptions): Promise<RunResult>;
  /**
   * Loads inputs for a run that survives interruptions: proceed() with it, again and again if need be, and dispose of it.
   * @throws HeError WIRE_*.
   */
  start(inputs: readonly Uint8Array[], options?: KeepOptions): Run;
  /** Forgets the keys and the runs that wait. */
  dispose(): void;
}

export interface SessionOptions {
  /** As made by Client.publicKey: for servers that re-randomise. */
  readonly publicKey?: Uint8Array;
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
  /**
   * Loads a client's evaluation keys (as made by Client.evaluationKeys).
   * @throws HeError WIRE_*, MEMORY_BUDGET, PARAMETERS_INVALID (a server that re-randomises got no public key).
   */
  openSession(evaluationKeys: Uint8Array, options?: SessionOptions): Promise<Session>;
  dispose(): void;
}

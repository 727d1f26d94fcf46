import type { EngineName } from '../engines/engine.js';
import type { Ledger } from '../engines/ledger.js';
import type { Execution } from '../engines/runtime.js';
import type { CacheUse } from '../executor/constants.js';
import type { KeepOptions, Run, RunOptions, RunResult } from '../executor/types.js';
import type { Manifest } from '../wire/manifest.js';
import type { SealKeyObjects } from '../wire/seal_keys.js';

/** What evaluates programs at a server. */
export type ServerEngine = Exclude<EngineName, 'empty'>;

/** Names of the engines of servers. */
export const SERVER_ENGINES: readonly ServerEngine[] = ['seal', 'simd', 'mock'];

/** How a server computes, and what it may take of the machine. All but the program has a default. */
export interface ServerOptions {
  /** `simd` (default where the runtime has WebAssembly SIMD, otherwise `seal`) and `seal` compute on ciphertexts, with our own, faster evaluator and with SEAL; `mock` on float64 values with the same rules and noise: no privacy, for tests and studies. */
  readonly engine?: ServerEngine;
  /** Secret of the refresh masks, 32 bytes; default: drawn at random. */
  readonly maskKey?: Uint8Array;
  /**
   * Adds a fresh encryption of zero to every ciphertext that leaves, so that its second polynomial says nothing of the weights (default: not), and to
   * outputs noise of `floodBits` bits a coefficient, which drowns that of the evaluation (default 0; `rerandomizedBits` tells what outputs keep).
   * Sessions then need the client's public key. SECURITY.md says what this hides.
   */
  readonly rerandomize?: { readonly floodBits?: number };
  /** Seed of the mock engine's noise (default 1); with `workers`, each has noise of its own. */
  readonly seed?: number;
  /**
   * Threads of the simd engine that share every operation over one memory (default 1). In Node, and in browsers on pages isolated from other origins (headers COOP and
   * COEP); elsewhere there is one.
   */
  readonly threads?: number;
  /**
   * Threads that evaluate the independent operations of a segment in parallel (default 0: none but this one), each with an engine, constants and keys
   * of its own. Dispose of the server to end them. A bundle that moves the code of workers gives its address.
   */
  readonly workers?: number | { readonly count: number; readonly url?: URL };
  /**
   * Most WebAssembly memory that program and sessions may take, in bytes (default 3 GiB of the heap's 4), by thread. Not for `mock`. Constants beyond it are
   * encoded again when they are needed; keys beyond it (`simd` only) are held outside and copied in.
   */
  readonly memoryBytes?: number;
  /**
   * Most memory outside of WebAssembly, in bytes, that `simd` may use for keys, and for encoded constants that would have to be encoded again otherwise
   * (default: half of what the system has free, at most 8 GiB; 512 MiB in browsers). 0: none.
   */
  readonly outsideBytes?: number;
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
  /**
   * A run that was saved, here or in another process, to `proceed` with: the program must be the same, and the session opened with the same evaluation keys.
   * Its refreshes get new masks.
   * @throws HeError WIRE_* (damaged, or of another program or other keys).
   */
  restore(saved: Uint8Array, options?: KeepOptions): Run;
  /**
   * Begins a sequence of runs of a program with state: what a run leaves, encrypted, stays here and is what the next one begins with.
   * @param initial what the first one begins with (wire form, in the order of manifest.state): encryptions of zeros, usually.
   * @throws HeError WIRE_*, RUN_UNAVAILABLE for a program without state.
   */
  sequence(initial: readonly Uint8Array[]): Sequence;
  /**
   * A sequence that was saved, here or in another process, to go on with: the program must be the same, and the session opened with the same evaluation keys.
   * A run that had begun is its `pending`, to `proceed` with; its refreshes get new masks. Restored twice, it is two sequences.
   * @param options for the pending run.
   * @throws HeError WIRE_* (damaged, or of another program or other keys), RUN_UNAVAILABLE for a program without state.
   */
  restoreSequence(saved: Uint8Array, options?: KeepOptions): Sequence;
  /** Forgets the keys, the runs that wait and the sequences. */
  dispose(): void;
}

/** Runs that go on from each other. */
export interface Sequence {
  /** Runs that have ended. */
  readonly length: number;
  /** The run that has begun and not ended; none once it was given up or disposed of. */
  readonly pending: Run | undefined;
  /**
   * Evaluates the program on encrypted inputs (wire form, in the order of manifest.inputs) and what the run before has left. One at a time; one that
   * fails changes nothing, so it can be run again.
   * @throws HeError as Session.run, and RUN_UNAVAILABLE while another is under way, or after disposal.
   */
  run(inputs: readonly Uint8Array[], options: RunOptions): Promise<RunResult>;
  /**
   * The next run, to survive interruptions as Session.start: proceed() with it, again and again if need be. Until it has ended, or is disposed of and changes
   * nothing, there is no other.
   * @throws HeError WIRE_*, and RUN_UNAVAILABLE while another is under way, or after disposal.
   */
  start(inputs: readonly Uint8Array[], options?: KeepOptions): Run;
  /**
   * The sequence as bytes for `Session.restoreSequence` of this or another process, with the pending run if there is one: possible whenever that is not
   * evaluating, so also while `refresh` waits for the client. They are to be kept as those of Run.save are.
   * @throws HeError RUN_UNAVAILABLE (a run is evaluating, or after disposal).
   */
  save(): Uint8Array;
  /** Forgets what was kept, and the pending run. */
  dispose(): void;
}

/** What a session knows of its client besides the evaluation keys. */
export interface SessionOptions {
  /** As made by Client.publicKey: for servers that re-randomise. */
  readonly publicKey?: Uint8Array;
}

/** Progress of `Server.prepare`, and its end before time. */
export interface PrepareOptions {
  /** Called with the constants encoded so far, at most some forty times a second. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What of a server's constants and keys is where, in bytes, and how often they had to move. Of this thread: not of `workers`. */
export interface MemoryUse {
  readonly constants: CacheUse;
  readonly keys: {
    /** Of all sessions. */
    readonly bytes: number;
    /** Most of them that are in WebAssembly's memory at once. */
    readonly limitBytes: number;
    /** Keys copied back into it, so far. */
    readonly moved: number;
  };
}

/** Holder of the program: has no way to decrypt. */
export interface Server {
  readonly engine: ServerEngine;
  /** How the engine computes here: which kernels, and with how many threads of those asked for. */
  readonly execution: Execution;
  readonly manifest: Manifest;
  /** Bytes of all keys of one session in memory, and of the uploaded form. */
  readonly evaluationKeyBytes: number;
  readonly memoryUse: MemoryUse;
  /**
   * Encodes all constants that there is room for now instead of during the first run. Yields to the event loop in between.
   * @throws HeError ABORTED.
   */
  prepare(options?: PrepareOptions): Promise<void>;
  /**
   * Loads a client's evaluation keys: as made by Client.evaluationKeys, or, without `workers`, as programs save them with SEAL 4 (SealKeyObjects).
   * @throws HeError WIRE_*, MEMORY_BUDGET, PARAMETERS_INVALID (a server that re-randomises got no public key).
   */
  openSession(evaluationKeys: Uint8Array | SealKeyObjects, options?: SessionOptions): Promise<Session>;
  /**
   * Fresh ciphertexts that a program saved with SEAL 4, for Session.run: of two polynomials or one and a seed, not compressed, by zlib, or by zstd (Node 22.15 or later), at the top
   * level and its scale.
   * @throws HeError WIRE_*.
   */
  fromSeal(ciphertexts: readonly Uint8Array[]): Promise<Uint8Array[]>;
  /** Outputs of a run, which are at the refresh level, as SEAL 4 loads them; not compressed. @throws HeError WIRE_*. */
  toSeal(outputs: readonly Uint8Array[]): Uint8Array[];
  /** Disposes of the sessions, and releases everything else. */
  dispose(): void;
}

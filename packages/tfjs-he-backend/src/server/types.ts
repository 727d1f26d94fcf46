import type { EngineName } from '../engines/engine.js';
import type { Ledger } from '../engines/ledger.js';
import type { Manifest } from '../wire/manifest.js';

export type ServerEngine = Exclude<EngineName, 'empty'>;

export interface ServerOptions {
  /** `seal` computes on ciphertexts; `mock` on float64 values with the same rules and noise: no privacy, for tests and studies. */
  readonly engine: ServerEngine;
  /** Secret of the refresh masks, 32 bytes; default: drawn at random. */
  readonly maskKey?: Uint8Array;
  /** Seed of the mock engine's noise. */
  readonly seed?: number;
}

/** What happens while a program runs. Layers come in the order of execution; a layer may return after a refresh. */
export type ProgressEvent =
  | { readonly type: 'layer'; readonly name: string; readonly level: number; readonly segment: number; readonly segments: number; readonly done: number; readonly total: number }
  | { readonly type: 'refresh'; readonly segment: number; readonly segments: number; readonly ciphertexts: number };

export interface RunOptions {
  /**
   * Sends masked ciphertexts (wire form) to the client and resolves to what its `refresh` returned, in the same order.
   * Called once after every segment but the last.
   */
  readonly refresh: (ciphertexts: Uint8Array[], round: { readonly segment: number; readonly segments: number }) => Promise<readonly Uint8Array[]>;
  readonly onProgress?: (event: ProgressEvent) => void;
  readonly signal?: AbortSignal;
}

export interface LayerTime {
  readonly name: string;
  /** Wall time of the layer's instructions. */
  readonly ms: number;
  /** Highest and lowest level its instructions ran at. */
  readonly fromLevel: number;
  readonly toLevel: number;
}

export interface RunResult {
  /** Output ciphertexts, wire form, in the order of manifest.outputs. */
  readonly outputs: Uint8Array[];
  readonly layers: readonly LayerTime[];
  /** Time in the evaluator; encoding of constants (first run of a server only) included. */
  readonly evaluateMs: number;
  /** Time spent waiting for the client. */
  readonly refreshMs: number;
  readonly refreshes: number;
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

/** Holder of the program: has no way to decrypt. */
export interface Server {
  readonly engine: ServerEngine;
  readonly manifest: Manifest;
  /** Bytes of all keys of one session in memory, and of the uploaded form. */
  readonly evaluationKeyBytes: number;
  /** Loads a client's evaluation keys (as made by Client.evaluationKeys). @throws HeError WIRE_*. */
  openSession(evaluationKeys: Uint8Array): Promise<Session>;
  dispose(): void;
}

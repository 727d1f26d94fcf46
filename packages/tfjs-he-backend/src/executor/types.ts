/** Where a run stands. What has been reported as done never becomes less, not even when a segment is evaluated again. */
export interface Progress {
  /** Layer of the operation at hand, and its level. */
  readonly name: string;
  readonly level: number;
  readonly segment: number;
  readonly segments: number;
  /** Operations, of all. */
  readonly done: number;
  readonly total: number;
  /** Predicted cost of what is done, of all: 0 to 1. */
  readonly fraction: number;
  /** Estimate of the time to the end, refresh rounds included. */
  readonly remainingMs: number;
}

/**
 * What happens while a program runs: `layer` once for every layer, before its first operation, in the order of execution; `layerEnd` once, after its last one,
 * with the wall time of its operations (layers may overlap, and stretch over refreshes); `progress` every quarter of a second; `refresh` before a round.
 */
export type ProgressEvent =
  | ({ readonly type: 'layer' } & Progress)
  | ({ readonly type: 'progress' } & Progress)
  | ({ readonly type: 'layerEnd'; readonly ms: number } & Progress)
  | { readonly type: 'refresh'; readonly segment: number; readonly segments: number; readonly ciphertexts: number };

/** How a run reaches its client, tells how far it is, and is stopped. */
export interface RunOptions {
  /**
   * Sends masked ciphertexts (wire form) to the client and resolves to what its `refresh` returned, in the same order.
   * Called once after every segment but the last.
   */
  readonly refresh: (
    ciphertexts: Uint8Array[],
    round: { readonly segment: number; readonly segments: number },
  ) => Promise<readonly Uint8Array[]>;
  readonly onProgress?: (event: ProgressEvent) => void;
  readonly signal?: AbortSignal;
}

/** Limits on what a run that was interrupted keeps. */
export interface KeepOptions {
  /** It is given up this long after an interruption (default 120000). */
  readonly keepMs?: number;
  /** Most ciphertext bytes it may keep (default 256 MiB): a larger one is given up at once. */
  readonly keepBytes?: number;
}

/**
 * One evaluation, which survives interruptions: when `proceed` rejects (the client is gone, the caller aborts), the ciphertexts at the last
 * border of a segment are kept, and the next `proceed` goes on from there.
 */
export interface Run {
  /**
   * Evaluates to the end. May be called again after it has rejected; after it has resolved, it resolves to the same result.
   * @throws HeError ABORTED, WIRE_* (inputs, refreshed ciphertexts), RUN_UNAVAILABLE (given up, disposed of, or under way), what `refresh`
   *   rejects with, and those of the engine.
   */
  proceed(options: RunOptions): Promise<RunResult>;
  /**
   * The run at the border of a segment, as bytes for `Session.restore` of this or another process: possible whenever it is not evaluating, so also while
   * `refresh` waits for the client. They hold intermediate values under the client's keys that no mask is on, and no secret: keep them where the server's
   * data is, and away from the client, who could decrypt them. Of a run of a sequence, save the sequence: Sequence.save.
   * @throws HeError RUN_UNAVAILABLE (evaluating, ended, given up or disposed of).
   */
  save(): Uint8Array;
  /** Segment that the next `proceed` works on or asks refreshes for. */
  readonly segment: number;
  /** `proceed` can be called when `ready`; a run that was given up or disposed of is `gone`. */
  readonly state: 'ready' | 'running' | 'gone';
  /** Ciphertext bytes kept. */
  readonly bytes: number;
  dispose(): void;
}

/** What one layer of the model took. */
export interface LayerTime {
  readonly name: string;
  /** Wall time of the layer's instructions. */
  readonly ms: number;
  /** Highest and lowest level its instructions ran at; -1 when all of them ran before the run was saved and restored. */
  readonly fromLevel: number;
  readonly toLevel: number;
}

/** What a run ends with; times in milliseconds. */
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

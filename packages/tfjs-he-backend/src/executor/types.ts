/** What happens while a program runs. Layers come in the order of execution; a layer may return after a refresh. */
export type ProgressEvent =
  | {
      readonly type: 'layer';
      readonly name: string;
      readonly level: number;
      readonly segment: number;
      readonly segments: number;
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'refresh'; readonly segment: number; readonly segments: number; readonly ciphertexts: number };

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

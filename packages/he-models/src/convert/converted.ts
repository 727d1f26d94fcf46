import type { LayersModel } from '@tensorflow/tfjs-layers';

/** A checkpoint in this repository's layers, and what the client keeps. */
export interface ConvertedCheckpoint {
  /** From embedded tokens `[tokens, features]` to logits. */
  readonly model: LayersModel;
  /** Contents of `embedding.bin`, in order. */
  readonly embedding: readonly Float32Array[];
  /** What the client adds to variances in the embeddings' LayerNorm, where there is one. */
  readonly embeddingNormEpsilon?: number;
  /** Differences from the checkpoint, a sentence each. */
  readonly changes: readonly string[];
}

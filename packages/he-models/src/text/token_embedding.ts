import { EMBEDDING_NORM_EPSILON, normaliseRow } from '../embedding_norm.js';

/** Weights of the client's embedding, each row-major float32. */
export interface EmbeddingWeights {
  /** `[vocabulary, features]` */
  readonly token: Float32Array;
  /** `[maxTokens, features]` */
  readonly position: Float32Array;
  /** LayerNorm's scale `[features]`. */
  readonly gamma: Float32Array;
  /** LayerNorm's shift `[features]`. */
  readonly beta: Float32Array;
}

/**
 * `LayerNorm(token[ids_i] + position_i)` for each token, rows of exact zeros for the padding: what the client encrypts.
 *
 * @param ids vocabulary indices, at most `position.length / features`
 * @param epsilon added to the variance
 * @returns `[maxTokens * features]`, row-major
 */
export function embedTokens(ids: readonly number[], weights: EmbeddingWeights, epsilon = EMBEDDING_NORM_EPSILON): Float32Array {
  const features = weights.gamma.length;
  const embedded = new Float32Array(weights.position.length);
  ids.forEach((id, row) => {
    const sums = Float32Array.from(
      { length: features },
      (_, k) => at(weights.token, id * features + k) + at(weights.position, row * features + k),
    );
    embedded.set(normaliseRow(sums, weights, epsilon), row * features);
  });
  return embedded;
}

function at(values: Float32Array, index: number): number {
  return values[index] ?? 0;
}

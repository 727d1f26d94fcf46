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

/** Added to the variance in the embedding's LayerNorm. It runs in the clear, so it can be small. */
export const EMBEDDING_NORM_EPSILON = 1e-6;

/**
 * `LayerNorm(token[ids_i] + position_i)` for each token, rows of exact zeros for the padding: what the client encrypts.
 *
 * @param ids vocabulary indices, at most `position.length / features`
 * @returns `[maxTokens * features]`, row-major
 */
export function embedTokens(ids: readonly number[], weights: EmbeddingWeights): Float32Array {
  const features = weights.gamma.length;
  const embedded = new Float32Array(weights.position.length);
  ids.forEach((id, row) => {
    const sums = Float32Array.from(
      { length: features },
      (_, k) => at(weights.token, id * features + k) + at(weights.position, row * features + k),
    );
    const mean = sums.reduce((total, value) => total + value, 0) / features;
    const variance = sums.reduce((total, value) => total + (value - mean) ** 2, 0) / features;
    const inverse = 1 / Math.sqrt(variance + EMBEDDING_NORM_EPSILON);
    sums.forEach((value, k) => {
      embedded[row * features + k] = (value - mean) * inverse * at(weights.gamma, k) + at(weights.beta, k);
    });
  });
  return embedded;
}

function at(values: Float32Array, index: number): number {
  return values[index] ?? 0;
}

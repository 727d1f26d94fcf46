import { EMBEDDING_NORM_EPSILON, normaliseRow } from '../embedding_norm.js';
import { cutPatches, type PatchGrid, patchLength, tokenCount } from './patch_grid.js';

/** Weights of the client's embedding of patches, each row-major float32. */
export interface PatchWeights {
  /** `[patchLength, features]` */
  readonly projection: Float32Array;
  /** `[tokens, features]`, with the projection's bias in it. */
  readonly position: Float32Array;
  /** LayerNorm's scale and shift, `[features]` each. */
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/**
 * `LayerNorm(patch_i . projection + position_i)` of every token: what the client encrypts.
 *
 * @param values `[height * width]`, row-major, in the data's own units
 * @returns `[tokens * features]`, row-major
 */
export function embedPatches(values: ArrayLike<number>, grid: PatchGrid, weights: PatchWeights): Float32Array {
  const [tokens, length, features] = [tokenCount(grid), patchLength(grid), weights.gamma.length];
  const patches = new Float32Array(tokens * length);
  cutPatches(values, grid, patches);
  const embedded = new Float32Array(tokens * features);
  for (let token = 0; token < tokens; token += 1) {
    const sums = Float64Array.from(weights.position.subarray(token * features, (token + 1) * features));
    for (let i = 0; i < length; i += 1) {
      const value = patches[token * length + i] ?? 0;
      if (value === 0) continue;
      for (let k = 0; k < features; k += 1) sums[k] = (sums[k] ?? 0) + value * (weights.projection[i * features + k] ?? 0);
    }
    embedded.set(normaliseRow(sums, weights, EMBEDDING_NORM_EPSILON), token * features);
  }
  return embedded;
}

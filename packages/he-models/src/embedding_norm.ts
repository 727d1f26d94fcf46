/** Added to the variance in the embeddings' LayerNorm. It runs in the clear, so it can be small. */
export const EMBEDDING_NORM_EPSILON = 1e-6;

/**
 * LayerNorm of one row.
 *
 * @param norm scale and shift, `[features]` each
 * @returns `[features]`
 */
export function normaliseRow(
  row: Float32Array | Float64Array,
  { gamma, beta }: { readonly gamma: Float32Array; readonly beta: Float32Array },
  epsilon: number,
): Float32Array {
  let mean = 0;
  for (const value of row) mean += value;
  mean /= row.length;
  let variance = 0;
  for (const value of row) variance += (value - mean) ** 2;
  const inverse = 1 / Math.sqrt(variance / row.length + epsilon);
  return Float32Array.from(row, (value, k) => (value - mean) * inverse * (gamma[k] ?? 0) + (beta[k] ?? 0));
}

export interface Ranked {
  readonly label: string;
  /** Softmax of the logits, in [0, 1]. */
  readonly score: number;
  readonly logit: number;
}

/** The `count` labels with the highest logits, highest first. */
export function topLabels(logits: Float32Array, labels: readonly string[], count: number): Ranked[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return Array.from(logits, (logit, i) => ({ label: labels[i] ?? `#${i}`, score: Math.exp(logit - largest) / sum, logit }))
    .sort((a, b) => b.logit - a.logit)
    .slice(0, count);
}

/** max_i |a_i - b_i|; NaN when one value is not a number or the lengths differ. */
export function maxAbsError(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN;
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

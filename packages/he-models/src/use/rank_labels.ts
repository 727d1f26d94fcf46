/** One label of a result. */
export interface Classification {
  readonly label: string;
  /** Softmax of the logits, in [0, 1]; no calibrated probability. */
  readonly score: number;
}

/** The `count` labels with the highest logits, highest first; the first one on ties. */
export function rankLabels(logits: ArrayLike<number>, labels: readonly string[], count: number): Classification[] {
  const values = Array.from(logits);
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = values.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials
    .map((value, index) => ({ label: labels[index] ?? `#${index}`, score: value / sum }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
}

import * as tf from '@tensorflow/tfjs-core';

/** The functions that `toPolynomial` replaces: `1/x`, `1/sqrt(x)`, GELU and SiLU. */
export type ApproximatedFunction = 'reciprocal' | 'rsqrt' | 'gelu' | 'silu';

/**
 * The inputs of one non-polynomial function in one forward pass.
 *
 * | function | values | shape |
 * |---|---|---|
 * | `reciprocal` | `mean(scores^p) + epsilon` | `[batch, heads, tokens, 1]` |
 * | `rsqrt` | `variance + epsilon`, of RMSNorm `mean(x^2) + epsilon` | `[batch, ..., 1]` |
 * | `gelu` | pre-activations; scores of sigma attention | `[batch, ..., units]` |
 * | `silu` | pre-activations of the gate | `[batch, ..., units]` |
 */
export interface RangeSite {
  /** `<layer>/denominator`, `/scores`, `/variance`, `/mean_square` or `/activation`; equal in a model and in its polynomial. */
  readonly name: string;
  readonly function: ApproximatedFunction;
  readonly values: tf.Tensor;
  /** Analytic lower bound of the values (the epsilon), where there is one. */
  readonly floor?: number;
  /** Where a polynomial stands in for the function: the interval on which it does so. */
  readonly interval?: readonly [lower: number, upper: number];
}

// tfjs layers are called synchronously and take no context argument, so the active recording is module state, as tfjs' own tape is.
const recordings: RangeSite[][] = [];
const observers = new Set<(site: RangeSite) => void>();

/** True inside {@link collectRanges} and while a `RangeMonitor` watches: layers then report the inputs of their non-polynomial functions. */
export function isRecordingRanges(): boolean {
  return recordings.length > 0 || observers.size > 0;
}

/**
 * Calls `observer` with every site that is reported, inside of a recording or not, until the returned function is called. The values are
 * only the observer's during the call.
 */
export function observeRanges(observer: (site: RangeSite) => void): () => void {
  // Wrapped, so that observing twice with one function and ending one of the two keeps the other.
  const entry = (site: RangeSite): void => observer(site);
  observers.add(entry);
  return () => {
    observers.delete(entry);
  };
}

/**
 * Reports a site to the innermost active recording and to observers, or does nothing. `values` is only called while recording, so reporting costs nothing
 * otherwise; it should use differentiable ops, for the range loss.
 */
export function reportRange(site: Omit<RangeSite, 'values'>, values: () => tf.Tensor): void {
  if (!isRecordingRanges()) return;
  const reported = { ...site, values: values() };
  for (const observer of observers) observer(reported);
  // Kept beyond the tidy of the layer that reports it; collectRanges hands ownership to the caller.
  recordings[recordings.length - 1]?.push({ ...reported, values: tf.keep(tf.clone(reported.values)) });
}

/**
 * Runs `forward` and collects what its layers report. Works inside `tf.variableGrads` (the values are then part of the gradient graph) and
 * outside (calibration). The tensors belong to the caller's `tf.tidy` scope, as if `forward` had returned them.
 */
export function collectRanges<T>(forward: () => T): { readonly result: T; readonly sites: readonly RangeSite[] } {
  const recording: RangeSite[] = [];
  recordings.push(recording);
  try {
    const result = forward();
    return { result, sites: recording.map((site) => ({ ...site, values: tf.clone(site.values) })) };
  } finally {
    recordings.pop();
    for (const site of recording) site.values.dispose();
  }
}

import * as tf from '@tensorflow/tfjs-core';
import { linear } from '../ops/linear.js';
import { type RotaryOptions, rotary } from '../ops/rotary.js';
import { type ScoreOptions, scoreWeights } from './score_weights.js';

/** A dense projection: `kernel [d, units]`, `bias [units]`. */
export interface Projection {
  readonly kernel: tf.Tensor2D;
  readonly bias?: tf.Tensor1D;
}

export interface AttentionWeights {
  readonly query: Projection;
  readonly key: Projection;
  readonly value: Projection;
  readonly output: Projection;
}

export interface AttentionOptions extends ScoreOptions, RotaryOptions {
  readonly numHeads: number;
  /** Divides `numHeads`. */
  readonly keyValueHeads: number;
  readonly rotary: boolean;
}

/** `x @ kernel + bias` on the last axis. @param x `[batch, tokens, d]` */
export function project(x: tf.Tensor3D, { kernel, bias }: Projection): tf.Tensor3D {
  const [batch, tokens, features] = x.shape;
  return tf.reshape(linear(tf.reshape(x, [batch * tokens, features]), kernel, bias), [batch, tokens, kernel.shape[1]]);
}

/** `[batch, tokens, heads * size] -> [batch, heads, tokens, size]` */
export function splitHeads(x: tf.Tensor3D, numHeads: number): tf.Tensor4D {
  const [batch, tokens, units] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, tokens, numHeads, units / numHeads]), [0, 2, 1, 3]);
}

/** `[batch, heads, tokens, size] -> [batch, tokens, heads * size]` */
export function mergeHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, tokens, size] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * size]);
}

/**
 * Multi-head attention `concat_h(N(Q_h K_h^T / sqrt(size)) V_h) W_o` with `N` as in {@link scoreWeights}, queries from `x` and keys and values
 * from `memory`, which is `x` for self-attention.
 *
 * @param x `[batch, tokens, d]`
 * @param memory `[batch, keys, e]`
 * @param mask 0/1 `[batch, keys]`, zero for padding
 * @returns `[batch, tokens, output units]`
 */
export function attend(
  x: tf.Tensor3D,
  memory: tf.Tensor3D,
  weights: AttentionWeights,
  options: AttentionOptions,
  mask?: tf.Tensor2D,
): tf.Tensor3D {
  const { numHeads, keyValueHeads, rotary: turned } = options;
  const positioned = (heads: tf.Tensor4D): tf.Tensor4D => (turned ? rotary(heads, options) : heads);
  const query = positioned(splitHeads(project(x, weights.query), numHeads));
  const key = positioned(splitHeads(project(memory, weights.key), keyValueHeads));
  const value = splitHeads(project(memory, weights.value), keyValueHeads);
  const [batch, , queries, size] = query.shape;
  const keys = key.shape[2];
  // The query heads of a group are rows of one product with their shared head: nothing is copied.
  const rows = (numHeads / keyValueHeads) * queries;
  const scaled = tf.reshape(tf.mul(query, tf.scalar(1 / Math.sqrt(size))), [batch, keyValueHeads, rows, size]);
  const scores: tf.Tensor4D = tf.reshape(tf.matMul(scaled, key, false, true), [batch, numHeads, queries, keys]);
  const grouped = tf.reshape(scoreWeights(scores, options, mask), [batch, keyValueHeads, rows, keys]);
  const attended: tf.Tensor4D = tf.reshape(tf.matMul(grouped, value), [batch, numHeads, queries, size]);
  return project(mergeHeads(attended), weights.output);
}

import * as tf from '@tensorflow/tfjs-core';
import { integerPower } from '../ops/integer_power.js';
import { linear } from '../ops/linear.js';
import { type PowerSoftmaxForm, powerSoftmax } from '../ops/power_softmax.js';
import { reportRange } from '../ranges/recorder.js';

/** How scores become weights: PowerSoftmax, or softmax for a twin to compare with. */
export type AttentionKind = 'power' | 'softmax';

export const ATTENTION_KINDS: readonly AttentionKind[] = ['power', 'softmax'];

/** Added to the scores of masked keys before softmax: exp underflows to 0 in float32 for any realistic score. */
const SOFTMAX_MASK_OFFSET = 1e9;

/** A dense projection: `kernel [d, units]`, `bias [units]`. */
export interface Projection {
  readonly kernel: tf.Tensor2D;
  readonly bias?: tf.Tensor1D;
}

export interface SelfAttentionWeights {
  readonly query: Projection;
  readonly key: Projection;
  readonly value: Projection;
  readonly output: Projection;
}

export interface SelfAttentionOptions {
  readonly numHeads: number;
  readonly attention: AttentionKind;
  readonly p: number;
  readonly epsilon: number;
  readonly form: PowerSoftmaxForm;
  /** Name under which the denominators are reported to a range recording. */
  readonly site: string;
}

/** `x @ kernel + bias` on the last axis. @param x `[batch, tokens, d]` */
export function project(x: tf.Tensor3D, { kernel, bias }: Projection): tf.Tensor3D {
  const [batch, tokens, features] = x.shape;
  const product = linear(tf.reshape(x, [batch * tokens, features]), kernel);
  const shifted = bias === undefined ? product : tf.add(product, bias);
  return tf.reshape(shifted, [batch, tokens, kernel.shape[1]]);
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
 * Multi-head self-attention `concat_h(N(Q_h K_h^T / sqrt(size)) V_h) W_o` with `N` PowerSoftmax or softmax.
 *
 * @param x `[batch, tokens, d]`
 * @param mask 0/1 `[batch, tokens]`, zero for padding: multiplies the scores of PowerSoftmax (arXiv 2410.09457, Eq. 11), is added to those of
 *   softmax as a large negative number
 * @returns `[batch, tokens, output units]`
 */
export function selfAttention(
  x: tf.Tensor3D,
  weights: SelfAttentionWeights,
  options: SelfAttentionOptions,
  mask?: tf.Tensor2D,
): tf.Tensor3D {
  const { numHeads } = options;
  const query = splitHeads(project(x, weights.query), numHeads);
  const key = splitHeads(project(x, weights.key), numHeads);
  const value = splitHeads(project(x, weights.value), numHeads);
  const scaled = tf.mul(query, tf.scalar(1 / Math.sqrt(query.shape[3])));
  const scores: tf.Tensor4D = tf.matMul(scaled, key, false, true);
  const keyMask = mask === undefined ? undefined : tf.reshape(tf.cast(mask, 'float32'), [mask.shape[0], 1, 1, mask.shape[1]]);
  const attended: tf.Tensor4D = tf.matMul(attentionWeights(scores, options, keyMask), value);
  return project(mergeHeads(attended), weights.output);
}

function attentionWeights(scores: tf.Tensor4D, options: SelfAttentionOptions, keyMask?: tf.Tensor): tf.Tensor4D {
  if (options.attention === 'softmax') {
    if (keyMask === undefined) return tf.softmax(scores);
    return tf.softmax(tf.add(scores, tf.mul(tf.sub(keyMask, tf.scalar(1)), tf.scalar(SOFTMAX_MASK_OFFSET))));
  }
  const { p, epsilon, form } = options;
  const masked: tf.Tensor4D = keyMask === undefined ? scores : tf.mul(scores, keyMask);
  reportRange({ name: options.site, function: 'reciprocal', floor: epsilon }, () =>
    tf.add(tf.mean(integerPower(masked, p), -1, true), tf.scalar(epsilon)),
  );
  return powerSoftmax(masked, { p, epsilon, form });
}

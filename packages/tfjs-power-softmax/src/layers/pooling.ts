import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';
import { constant } from '../ops/custom_gradient.js';

/**
 * What the sum over tokens is divided by:
 *
 * - `visible`: the number of visible tokens of each example. The mask says which these are, and without one the rows that are not all zero.
 * - `tokens`: the number of tokens, padding included.
 * - a number: itself.
 *
 * Counts are public: under encryption nothing is divided by a secret.
 */
export type MeanCount = 'visible' | 'tokens' | number;

/** @throws InvalidArgumentError naming the layer unless the count is one of the words or a positive number */
export function validateMeanCount(count: MeanCount, layer: string): MeanCount {
  if (count === 'visible' || count === 'tokens' || (typeof count === 'number' && Number.isFinite(count) && count > 0)) return count;
  throw new InvalidArgumentError(`${layer}: count must be 'visible', 'tokens' or a number > 0, got ${count}.`, { layer, count });
}

/**
 * The mean over tokens, `[batch, tokens, d] -> [batch, d]`; zeros where nothing is visible.
 *
 * @param mask 0/1 `[batch, tokens]`, not differentiated
 */
export function meanOverTokens(x: tf.Tensor3D, count: MeanCount, mask?: tf.Tensor2D): tf.Tensor2D {
  const [batch, tokens, features] = x.shape;
  const visible = mask ?? (count === 'visible' ? nonZeroRows(x) : undefined);
  const divisor = count === 'tokens' ? tokens : count;
  if (visible === undefined) {
    // Without a mask `divisor` is a number: `visible` always makes one.
    return divisor === tokens ? tf.mean<tf.Tensor2D>(x, 1) : tf.mul(tf.sum<tf.Tensor2D>(x, 1), tf.scalar(1 / Number(divisor)));
  }
  const ones = tf.cast<tf.Tensor2D>(visible, 'float32');
  const weights =
    divisor === 'visible'
      ? tf.div<tf.Tensor2D>(ones, tf.maximum(tf.sum(ones, 1, true), tf.scalar(1)))
      : tf.mul(ones, tf.scalar(1 / divisor));
  return tf.reshape(tf.matMul(tf.reshape(weights, [batch, 1, tokens]), x), [batch, features]);
}

/** The first or the last token, among the visible ones where there is a mask: `[batch, tokens, d] -> [batch, d]`. */
export function selectToken(x: tf.Tensor3D, position: 'first' | 'last', mask?: tf.Tensor2D): tf.Tensor2D {
  const [batch, tokens, features] = x.shape;
  if (mask === undefined) return tf.reshape(tf.slice(x, [0, position === 'first' ? 0 : tokens - 1, 0], [-1, 1, -1]), [batch, features]);
  const visible = tf.cast<tf.Tensor2D>(mask, 'float32');
  // 1 where exactly one visible token lies between the end and here, this one included.
  const weights = tf.mul(visible, tf.step(tf.sub(tf.scalar(1.5), tf.cumsum(visible, 1, false, position === 'last'))));
  return tf.reshape(tf.matMul(tf.reshape(weights, [batch, 1, tokens]), x), [batch, features]);
}

/** 1 for rows with a non-zero entry, `[batch, tokens]`. */
function nonZeroRows(x: tf.Tensor3D): tf.Tensor2D {
  // Reducing the last axis leaves two.
  return constant(x, (rows) => tf.step(tf.max(tf.abs(rows), -1))) as tf.Tensor2D;
}

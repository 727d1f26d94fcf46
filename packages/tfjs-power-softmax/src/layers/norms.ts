import * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from '../ops/layer_norm.js';
import { rmsNorm } from '../ops/rms_norm.js';
import { reportRange } from '../ranges/recorder.js';

/** Normalisation inside a block: LayerNorm, or RMSNorm, which leaves out the mean and `beta`. */
export type NormKind = 'layer' | 'rms';

export const NORM_KINDS: readonly NormKind[] = ['layer', 'rms'];

/** `gamma` and `beta [d]`; RMSNorm has no `beta`. */
export type NormWeights = readonly [gamma: tf.Tensor, beta?: tf.Tensor];

/** Default of the epsilon added to variances. Raise it (0.1 and more, with inputs of unit scale) to make the polynomial cheap. */
export const DEFAULT_NORM_EPSILON = 1e-3;

/**
 * LayerNorm, or without `beta` RMSNorm, over the last axis; reports what the inverse square root is taken of as `<name>/variance` or
 * `<name>/mean_square`.
 */
export function reportedNorm<T extends tf.Tensor>(x: T, [gamma, beta]: NormWeights, epsilon: number, name: string): T {
  const site = `${name}/${beta === undefined ? 'mean_square' : 'variance'}`;
  reportRange({ name: site, function: 'rsqrt', floor: epsilon }, () => {
    const centred = beta === undefined ? x : tf.sub(x, tf.mean(x, -1, true));
    return tf.add(tf.mean(tf.square(centred), -1, true), tf.scalar(epsilon));
  });
  return beta === undefined ? rmsNorm(x, gamma, epsilon) : layerNorm(x, gamma, beta, epsilon);
}

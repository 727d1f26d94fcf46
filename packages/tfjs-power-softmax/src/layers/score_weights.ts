import * as tf from '@tensorflow/tfjs-core';
import { gelu } from '../ops/gelu.js';
import { integerPower } from '../ops/integer_power.js';
import { type PowerSoftmaxForm, powerSoftmax } from '../ops/power_softmax.js';
import { reportRange } from '../ranges/recorder.js';
import { causalMask } from './causal_mask.js';

/**
 * How scores become weights:
 *
 * - `power`: PowerSoftmax.
 * - `softmax`: for a twin to compare with.
 * - `sigma`: `gelu(scores) / sqrt(L)`, without a normaliser (Zimerman et al., ICML 2024; section 5.3 of arXiv 2410.09457 reports that it cannot
 *   be trained at 32 layers).
 */
export type AttentionKind = 'power' | 'softmax' | 'sigma';

export const ATTENTION_KINDS: readonly AttentionKind[] = ['power', 'softmax', 'sigma'];

/** Added to the scores of masked keys before softmax: exp underflows to 0 in float32 for any realistic score. */
const SOFTMAX_MASK_OFFSET = 1e9;

export interface ScoreOptions {
  readonly attention: AttentionKind;
  readonly p: number;
  readonly epsilon: number;
  readonly form: PowerSoftmaxForm;
  /** Query i sees keys 0..i only, and `L` is i + 1 in its row. */
  readonly causal: boolean;
  /** Name of the attention layer: sites are `<name>/denominator` for `power` and `<name>/scores` for `sigma`. */
  readonly name: string;
}

/** What scores are masked with: `mask` is 0/1 and broadcasts to the scores, `counts` is `L` per row. */
interface ScoreMask {
  readonly mask: tf.Tensor | undefined;
  readonly counts: tf.Tensor;
}

/**
 * Weights of the values, of the shape of the scores.
 *
 * Masks multiply the scores of `power` and the weights of `sigma` (arXiv 2410.09457, Eq. 11) and are added to the scores of `softmax` as a
 * large negative number. Padding does not change `L`: a padded key counts as a score of zero, as it does without a mask.
 *
 * @param scores `[batch, heads, queries, keys]`
 * @param keyMask 0/1 `[batch, keys]`
 */
export function scoreWeights(scores: tf.Tensor4D, options: ScoreOptions, keyMask?: tf.Tensor2D): tf.Tensor4D {
  const { mask, counts } = scoreMask(scores, options.causal, keyMask);
  if (options.attention === 'softmax') {
    return tf.softmax(mask === undefined ? scores : tf.add(scores, tf.mul(tf.sub(mask, tf.scalar(1)), tf.scalar(SOFTMAX_MASK_OFFSET))));
  }
  if (options.attention === 'sigma') {
    reportRange({ name: `${options.name}/scores`, function: 'gelu' }, () => scores);
    const scale = tf.rsqrt(counts);
    return tf.mul(gelu(scores), mask === undefined ? scale : tf.mul(mask, scale));
  }
  const { p, epsilon, form } = options;
  reportRange({ name: `${options.name}/denominator`, function: 'reciprocal', floor: epsilon }, () => {
    const powered = integerPower(mask === undefined ? scores : tf.mul(scores, mask), p);
    return tf.add(tf.div(tf.sum(powered, -1, true), counts), tf.scalar(epsilon));
  });
  return powerSoftmax(scores, { p, epsilon, form, counts, ...(mask === undefined ? {} : { mask }) });
}

function scoreMask(scores: tf.Tensor4D, causal: boolean, keyMask?: tf.Tensor2D): ScoreMask {
  const [, , queries, keys] = scores.shape;
  const padding = keyMask === undefined ? undefined : tf.reshape(tf.cast(keyMask, 'float32'), [keyMask.shape[0], 1, 1, keys]);
  if (!causal) return { mask: padding, counts: tf.fill([1, 1, 1, 1], keys) };
  const visible = causalMask(queries, keys);
  return {
    mask: padding === undefined ? visible : tf.mul(visible, padding),
    counts: tf.reshape(tf.range(1, queries + 1), [1, 1, queries, 1]),
  };
}

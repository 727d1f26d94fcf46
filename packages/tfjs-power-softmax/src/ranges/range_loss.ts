import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';
import { largestPerExample } from '../ops/largest.js';
import type { ApproximatedFunction, RangeSite } from './recorder.js';
import { isPositiveFunction } from './site_interval.js';

/** Where the inputs of a function should stay. Bounds are in the units of the site's values; at least one is given. */
export interface RangeTarget {
  readonly lower?: number;
  readonly upper?: number;
}

export interface RangeLossOptions {
  /** Targets by site name, or by function for all its sites; a name wins. Sites without a target add nothing. */
  readonly targets: Readonly<Record<string, RangeTarget>> & Partial<Record<ApproximatedFunction, RangeTarget>>;
}

/**
 * Penalty that keeps the inputs of non-polynomial functions inside their targets, so that low-degree polynomials suffice (range
 * minimisation, arXiv 2410.09457 section 4, after Baruch et al. 2023).
 *
 * For every site the largest excess of each example counts (an l-infinity norm within the example), squared, averaged over the batch, and
 * summed over the sites. The excess is `log(x / upper)` for the positive functions `reciprocal` and `rsqrt`, whose accuracy depends on
 * the ratio of the bounds, and `(x - upper) / max(|lower|, |upper|)` for `gelu`, on both sides. Zero when everything is inside.
 *
 * @returns differentiable scalar >= 0
 * @throws InvalidArgumentError for a bound of `reciprocal` or `rsqrt` that is not positive
 */
export function rangeLoss(sites: readonly RangeSite[], { targets }: RangeLossOptions): tf.Scalar {
  return tf.tidy(() => {
    const penalties = sites.flatMap((site) => {
      const target = targets[site.name] ?? targets[site.function];
      return target === undefined ? [] : [sitePenalty(site, target)];
    });
    return penalties.reduce<tf.Scalar>((sum, penalty) => tf.add(sum, penalty), tf.scalar(0));
  });
}

function sitePenalty(site: RangeSite, target: RangeTarget): tf.Scalar {
  const { lower, upper } = target;
  const positive = isPositiveFunction(site.function);
  if (positive && ((lower !== undefined && lower <= 0) || (upper !== undefined && upper <= 0))) {
    throw new InvalidArgumentError(`The range target of ${site.name} must be positive.`, {
      site: site.name,
      lower: lower ?? 'none',
      upper: upper ?? 'none',
    });
  }
  const scale = Math.max(Math.abs(lower ?? 0), Math.abs(upper ?? 0)) || 1;
  const excesses: tf.Tensor[] = [];
  if (upper !== undefined) {
    const largest = largestPerExample(site.values);
    excesses.push(
      positive ? tf.log(tf.mul(largest, tf.scalar(1 / upper))) : tf.mul(tf.sub(largest, tf.scalar(upper)), tf.scalar(1 / scale)),
    );
  }
  if (lower !== undefined) {
    const smallest = tf.neg(largestPerExample(tf.neg(site.values)));
    excesses.push(
      positive ? tf.neg(tf.log(tf.mul(smallest, tf.scalar(1 / lower)))) : tf.mul(tf.sub(tf.scalar(lower), smallest), tf.scalar(1 / scale)),
    );
  }
  return excesses.reduce<tf.Scalar>((sum, excess) => tf.add(sum, tf.mean(tf.square(tf.relu(excess)))), tf.scalar(0));
}

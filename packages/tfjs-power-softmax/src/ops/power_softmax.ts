import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';
import { validateNonNegative, validateOneOf, validatePower } from '../validate.js';
import { constant, customGradient } from './custom_gradient.js';
import { integerPower } from './integer_power.js';

/**
 * How PowerSoftmax is computed. All forms have the same value up to rounding.
 *
 * - `stable`: the row is divided by `max|x|` first, so that powered values lie in (0, 1]. For training: no overflow or underflow.
 * - `sum`: `x^p / (L * epsilon + sum(x^p))`, as written.
 * - `mean`: `(x^p / L) / (mean(x^p) + epsilon)`, the length-agnostic form evaluated under encryption.
 */
export type PowerSoftmaxForm = 'stable' | 'sum' | 'mean';

export const POWER_SOFTMAX_FORMS: readonly PowerSoftmaxForm[] = ['stable', 'sum', 'mean'];

/** Default of `epsilon`, the example value of arXiv 2410.09457 section 4.2. */
export const DEFAULT_EPSILON = 1e-3;

export interface PowerSoftmaxOptions {
  /** Even integer from 2 to 16. The paper uses 4; 2 is too flat and above 8 training becomes unstable (App. D). Default 4. */
  readonly p?: number;
  /** Axis to normalise over. Default -1. */
  readonly axis?: number;
  /**
   * Added to `mean(x^p)`, in units of `x^p`, so it means the same in every form; >= 0, default 1e-3. It bounds the reciprocal by `1/epsilon`
   * and is meant to be large: it decides the degree of the reciprocal's polynomial.
   */
  readonly epsilon?: number;
  /**
   * 0/1 tensor broadcastable to `x`; masked entries get weight exactly 0 and add nothing to the normaliser. Multiplicative (arXiv 2410.09457,
   * Eq. 11), because `0^p = 0`. Not differentiated.
   */
  readonly mask?: tf.TensorLike | tf.Tensor;
  /**
   * Number `L` of entries that a row's mean is over. Default: the length of the axis, so that masked entries count as zero scores. `visible`
   * counts each row's unmasked entries (needs a mask). A tensor gives the counts, > 0, shaped like `x` or broadcastable to it, with the axis of
   * size 1: for causal rows `[L, 1]` holding 1, 2, ..., L. Not differentiated.
   */
  readonly counts?: 'visible' | tf.TensorLike | tf.Tensor;
  /** Default `stable`. */
  readonly form?: PowerSoftmaxForm;
}

/**
 * PowerSoftmax along one axis of length `L` (arXiv 2410.09457, section 4):
 *
 *     y_j = x_j^p / (L * epsilon + sum_i x_i^p)
 *
 * Rows of `y` are non-negative and sum to `1 - L*epsilon / (L*epsilon + sum x^p)`; a row of zeros, or one fully masked, gives zeros.
 * With `epsilon = 0` the value is invariant to scaling a row. The gradient is analytic:
 * `dx_k = p x_k^(p-1) / D * (dy_k - sum_j dy_j y_j)` with `D` the denominator.
 *
 * @param x float tensor of any rank >= 1; entries up to 1e30 in magnitude are safe in the `stable` form
 * @returns tensor of the shape of `x`
 * @throws InvalidArgumentError for a `p`, `epsilon`, `axis` or `form` out of range, a mask or counts whose shape does not fit, or
 *   `counts: 'visible'` without a mask
 */
export function powerSoftmax<T extends tf.Tensor>(x: T | tf.TensorLike, options: PowerSoftmaxOptions = {}): T {
  const p = validatePower(options.p ?? 4);
  const epsilon = validateNonNegative('epsilon', options.epsilon ?? DEFAULT_EPSILON);
  const form = validateOneOf('form', options.form ?? 'stable', POWER_SOFTMAX_FORMS);
  return tf.tidy(() => {
    const input = toFloat(x);
    const axis = resolveAxis(options.axis ?? -1, input.rank);
    const mask = options.mask === undefined ? undefined : fitting('mask', toFloat(options.mask), input.shape);
    const rowShape = input.shape.map((size, i) => (i === axis ? 1 : size));
    const counts = rowCounts(options.counts, mask, input, axis);
    const settings = {
      p,
      axis,
      epsilon,
      form,
      mask,
      counts: typeof counts === 'number' ? tf.scalar(counts) : fitting('counts', counts, rowShape),
    };
    return normalise<T>(input, settings);
  });
}

interface Settings {
  readonly p: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly form: PowerSoftmaxForm;
  readonly mask: tf.Tensor | undefined;
  /** Scalar, or broadcastable to `x` with the axis of size 1. */
  readonly counts: tf.Tensor;
}

function toFloat(x: tf.Tensor | tf.TensorLike): tf.Tensor {
  const tensor = x instanceof tf.Tensor ? x : tf.tensor(x);
  return tensor.dtype === 'float32' ? tensor : tf.cast(tensor, 'float32');
}

function resolveAxis(axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new InvalidArgumentError(`axis ${axis} is not an axis of a tensor of rank ${rank}.`, { axis, rank });
  }
  return resolved;
}

/** The tensor, if it broadcasts to `shape` without enlarging it. */
function fitting(name: string, tensor: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const missing = shape.length - tensor.rank;
  if (missing >= 0 && tensor.shape.every((size, i) => size === 1 || size === shape[missing + i])) return tensor;
  throw new InvalidArgumentError(`${name} of shape [${tensor.shape}] does not broadcast to [${shape}]. Give it that shape or ones.`, {
    name,
    shape: tensor.shape,
    target: shape,
  });
}

function rowCounts(counts: PowerSoftmaxOptions['counts'], mask: tf.Tensor | undefined, x: tf.Tensor, axis: number): tf.Tensor | number {
  if (counts === undefined) return x.shape[axis] ?? 1;
  if (counts !== 'visible') return toFloat(counts instanceof tf.Tensor ? counts : tf.tensor(counts));
  if (mask === undefined)
    throw new InvalidArgumentError("counts: 'visible' counts unmasked entries. Give a mask as well.", { counts: 'visible' });
  return visibleCounts(mask, x, axis);
}

/** Number of unmasked entries of each row of `x`, with the axis of size 1; 1 for fully masked rows, which are zeros whatever they are divided by. */
export function visibleCounts(mask: tf.Tensor, x: tf.Tensor, axis: number): tf.Tensor {
  return nonZero(tf.sum(tf.broadcastTo(mask, x.shape), axis, true));
}

function normalise<T extends tf.Tensor>(x: tf.Tensor, { p, axis, epsilon, form, mask, counts }: Settings): T {
  return customGradient(
    [x],
    (input) => {
      const masked = mask === undefined ? input : tf.mul(input, mask);
      const scale = form === 'stable' ? constant(masked, (m) => nonZero(tf.max(tf.abs(m), axis, true))) : tf.scalar(1);
      const scaled = form === 'stable' ? tf.div(masked, scale) : masked;
      const powered = integerPower(scaled, p);
      const { value, denominator } =
        form === 'mean' ? meanForm<T>(powered, axis, epsilon, counts) : sumForm<T>(powered, axis, epsilon, counts, scale, p);
      return { value, saved: [scaled, scale, denominator, value] };
    },
    (dy, [t, c, d, y]) => {
      const centred = tf.sub(dy, tf.sum(tf.mul(dy, y), axis, true));
      // Divided by d before c: for rows too small to matter d is infinite, and 0 / c stays 0 where p * t / c would overflow.
      const slope = tf.div(tf.div(tf.mul(integerPower(t, p - 1), tf.scalar(p)), d), c);
      // The slope is 0 at masked entries, where t is 0, so the mask need not be applied again.
      return [tf.mul(slope, centred)];
    },
  );
}

/** With t = x / c: y = t^p / (L*epsilon / c^p + sum t^p). */
function sumForm<T extends tf.Tensor>(powered: tf.Tensor, axis: number, epsilon: number, counts: tf.Tensor, scale: tf.Tensor, p: number) {
  const sum = tf.sum(powered, axis, true);
  // 0 * (1/c)^p would be NaN where the power overflows, so a zero epsilon is left out instead of multiplied.
  const rescaled = epsilon === 0 ? undefined : tf.mul(integerPower(tf.reciprocal(scale), p), tf.mul(counts, tf.scalar(epsilon)));
  const denominator = nonZero(rescaled === undefined ? sum : tf.add(sum, rescaled));
  return { value: tf.div<T>(powered, denominator), denominator };
}

function meanForm<T extends tf.Tensor>(powered: tf.Tensor, axis: number, epsilon: number, counts: tf.Tensor) {
  const mean = nonZero(tf.add(tf.div(tf.sum(powered, axis, true), counts), tf.scalar(epsilon)));
  return { value: tf.div<T>(tf.div(powered, counts), mean), denominator: tf.mul(mean, counts) };
}

/** Replaces zeros of a non-negative tensor by one, so that rows of zeros divide to zeros. */
function nonZero(x: tf.Tensor): tf.Tensor {
  return tf.add(x, tf.sub(tf.scalar(1), tf.step(x)));
}

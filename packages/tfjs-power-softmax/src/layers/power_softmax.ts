import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { integerPower } from '../ops/integer_power.js';
import { DEFAULT_EPSILON, POWER_SOFTMAX_FORMS, type PowerSoftmaxForm, powerSoftmax, visibleCounts } from '../ops/power_softmax.js';
import { reportRange } from '../ranges/recorder.js';
import { validateNonNegative, validateOneOf, validatePower } from '../validate.js';
import { firstShape, hasMaskInput, maskedInput } from './inputs.js';
import { MaskingLayer } from './masking_layer.js';

export interface PowerSoftmaxArgs {
  readonly name?: string;
  readonly trainable?: boolean;
  readonly p?: number;
  /** Axis to normalise over. Default -1. */
  readonly axis?: number;
  readonly epsilon?: number;
  readonly form?: PowerSoftmaxForm;
  /** What a row's mean is over: the `length` of the axis (default), masked entries being zero scores, or the `visible` entries of the mask. */
  readonly counts?: RowCounts;
}

export type RowCounts = 'length' | 'visible';

export const ROW_COUNTS: readonly RowCounts[] = ['length', 'visible'];

/**
 * {@link powerSoftmax} as a layer without weights. Input `x`, or `[x, mask]` with a 0/1 mask that broadcasts to `x`, of which `visible` counts need
 * one; output of the shape of `x`. Reports `<name>/denominator` to range recordings.
 */
export class PowerSoftmax extends MaskingLayer {
  static readonly className = 'PowerSoftmax';
  readonly p: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly form: PowerSoftmaxForm;
  readonly counts: RowCounts;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PowerSoftmaxArgs = {}) {
    super(args);
    this.p = validatePower(args.p ?? 4, this.name);
    this.axis = args.axis ?? -1;
    this.epsilon = validateNonNegative('epsilon', args.epsilon ?? DEFAULT_EPSILON, this.name);
    this.form = validateOneOf('form', args.form ?? 'stable', POWER_SOFTMAX_FORMS, this.name);
    this.counts = validateOneOf('counts', args.counts ?? 'length', ROW_COUNTS, this.name);
  }

  /** @throws InvalidArgumentError for an axis that the input does not have, or visible entries to count without a mask */
  override build(inputShape: Shape | Shape[]): void {
    const rank = firstShape(inputShape).length;
    if (!Number.isInteger(this.axis) || this.axis < -rank || this.axis >= rank) {
      throw new InvalidArgumentError(`${this.name}: axis ${this.axis} is not an axis of an input of rank ${rank}.`, {
        layer: this.name,
        axis: this.axis,
        rank,
      });
    }
    if (this.counts === 'visible' && !hasMaskInput(inputShape)) {
      throw new InvalidArgumentError(`${this.name}: counts: 'visible' counts the entries of a mask. Apply the layer to [x, mask].`, {
        layer: this.name,
      });
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { p, axis, epsilon, form } = this;
    return tf.tidy(() => {
      const { x, mask: given } = maskedInput(inputs, this.name);
      const mask = given === undefined ? undefined : tf.cast(given, 'float32');
      const counts = mask === undefined || this.counts === 'length' ? undefined : visibleCounts(mask, x, axis);
      reportRange({ name: `${this.name}/denominator`, function: 'reciprocal', floor: epsilon }, () => {
        const powered = integerPower(mask === undefined ? x : tf.mul(x, mask), p);
        const mean = counts === undefined ? tf.mean(powered, axis, true) : tf.div(tf.sum(powered, axis, true), counts);
        return tf.add(mean, tf.scalar(epsilon));
      });
      return powerSoftmax(x, {
        p,
        axis,
        epsilon,
        form,
        ...(mask === undefined ? {} : { mask }),
        ...(counts === undefined ? {} : { counts }),
      });
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { p, axis, epsilon, form, counts } = this;
    return { ...super.getConfig(), p, axis, epsilon, form, counts };
  }
}
tf.serialization.registerClass(PowerSoftmax);

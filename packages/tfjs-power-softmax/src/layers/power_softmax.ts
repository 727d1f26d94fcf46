import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { integerPower } from '../ops/integer_power.js';
import { DEFAULT_EPSILON, POWER_SOFTMAX_FORMS, type PowerSoftmaxForm, powerSoftmax } from '../ops/power_softmax.js';
import { reportRange } from '../ranges/recorder.js';
import { validateNonNegative, validateOneOf, validatePower } from '../validate.js';
import { firstShape, singleInput } from './inputs.js';
import { MaskingLayer } from './masking_layer.js';

export interface PowerSoftmaxArgs {
  readonly name?: string;
  readonly trainable?: boolean;
  readonly p?: number;
  /** Axis to normalise over. Default -1. */
  readonly axis?: number;
  readonly epsilon?: number;
  readonly form?: PowerSoftmaxForm;
}

/** {@link powerSoftmax} as a layer; keeps the shape of its input and has no weights. Reports `<name>/denominator` to range recordings. */
export class PowerSoftmax extends MaskingLayer {
  static readonly className = 'PowerSoftmax';
  readonly p: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly form: PowerSoftmaxForm;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PowerSoftmaxArgs = {}) {
    super(args);
    this.p = validatePower(args.p ?? 4, this.name);
    this.axis = args.axis ?? -1;
    this.epsilon = validateNonNegative('epsilon', args.epsilon ?? DEFAULT_EPSILON, this.name);
    this.form = validateOneOf('form', args.form ?? 'stable', POWER_SOFTMAX_FORMS, this.name);
  }

  /** @throws InvalidArgumentError for an axis that the input does not have */
  override build(inputShape: Shape | Shape[]): void {
    const rank = firstShape(inputShape).length;
    if (!Number.isInteger(this.axis) || this.axis < -rank || this.axis >= rank) {
      throw new InvalidArgumentError(`${this.name}: axis ${this.axis} is not an axis of an input of rank ${rank}.`, {
        layer: this.name,
        axis: this.axis,
        rank,
      });
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { p, axis, epsilon, form } = this;
    return tf.tidy(() => {
      const x = singleInput(inputs, this.name);
      reportRange({ name: `${this.name}/denominator`, function: 'reciprocal', floor: epsilon }, () =>
        tf.add(tf.mean(integerPower(x, p), axis, true), tf.scalar(epsilon)),
      );
      return powerSoftmax(x, { p, axis, epsilon, form });
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), p: this.p, axis: this.axis, epsilon: this.epsilon, form: this.form };
  }
}
tf.serialization.registerClass(PowerSoftmax);

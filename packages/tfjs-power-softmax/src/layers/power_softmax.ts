import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { DEFAULT_EPSILON, POWER_SOFTMAX_FORMS, type PowerSoftmaxForm, powerSoftmax } from '../ops/power_softmax.js';
import { validateNonNegative, validateOneOf, validatePower } from '../validate.js';
import { singleInput } from './inputs.js';
import { MaskingLayer } from './masking_layer.js';

export interface PowerSoftmaxArgs {
  readonly name?: string;
  readonly trainable?: boolean;
  readonly p?: number;
  readonly axis?: number;
  readonly epsilon?: number;
  readonly form?: PowerSoftmaxForm;
}

/** {@link powerSoftmax} as a layer; keeps the shape of its input and has no weights. */
export class PowerSoftmax extends MaskingLayer {
  static readonly className = 'PowerSoftmax';
  readonly p: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly form: PowerSoftmaxForm;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PowerSoftmaxArgs = {}) {
    super(args);
    this.p = validatePower(args.p ?? 4);
    this.axis = args.axis ?? -1;
    this.epsilon = validateNonNegative('epsilon', args.epsilon ?? DEFAULT_EPSILON);
    this.form = validateOneOf('form', args.form ?? 'stable', POWER_SOFTMAX_FORMS);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return powerSoftmax(singleInput(inputs, this.name), { p: this.p, axis: this.axis, epsilon: this.epsilon, form: this.form });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), p: this.p, axis: this.axis, epsilon: this.epsilon, form: this.form };
  }
}
tf.serialization.registerClass(PowerSoftmax);

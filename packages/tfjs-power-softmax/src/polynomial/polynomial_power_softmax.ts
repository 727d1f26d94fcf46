import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { firstShape, singleInput } from '../layers/inputs.js';
import { integerPower } from '../ops/integer_power.js';
import { validatePositiveInteger, validatePower } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialPowerSoftmaxArgs extends PolynomialLayerArgs {
  readonly p: number;
  /** The epsilon of PowerSoftmax: the approximation is of `1/(mean(x^p) + epsilon)`. */
  readonly epsilon: number;
  readonly axis: number;
  /** Length of the axis that the model was made for. */
  readonly length: number;
}

/**
 * A layer of PowerSoftmax in polynomial form, `r(mean(x^p) + epsilon) * x^p / length` with `r` the polynomial for `1/x`. Keeps the shape of its
 * input. Attention layers of this package convert to less depth: what the weights are used for is unknown here, so the division comes first.
 */
export class PolynomialPowerSoftmax extends PolynomialLayer {
  static readonly className = 'PolynomialPowerSoftmax';
  readonly p: number;
  readonly epsilon: number;
  readonly axis: number;
  readonly length: number;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialPowerSoftmaxArgs) {
    super(args, 'reciprocal');
    this.p = validatePower(args.p, this.name);
    this.epsilon = args.epsilon;
    this.axis = args.axis;
    this.length = validatePositiveInteger('length', args.length, this.name);
  }

  get site(): string {
    return `${this.name}/denominator`;
  }

  /** @throws InvalidArgumentError for another length than the model was made for */
  override build(inputShape: Shape | Shape[]): void {
    const length = firstShape(inputShape).at(this.axis);
    if (length !== this.length) {
      throw new InvalidArgumentError(`Layer ${this.name} was made for a length of ${this.length}, got ${length}. Pad the input.`, {
        layer: this.name,
        length: this.length,
      });
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { slope, offset } = unitMap(this.approximation);
      const powered = integerPower(singleInput(inputs, this.name), this.p);
      const mean = tf.mul(tf.sum(powered, this.axis, true), tf.scalar(slope / this.length));
      const u = tf.add(mean, tf.scalar(slope * this.epsilon + offset));
      return tf.mul(powered, this.polynomial(u, 1 / this.length));
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { p, epsilon, axis, length } = this;
    return { ...super.getConfig(), p, epsilon, axis, length };
  }
}
tf.serialization.registerClass(PolynomialPowerSoftmax);

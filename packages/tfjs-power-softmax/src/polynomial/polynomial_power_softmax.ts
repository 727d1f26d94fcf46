import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { firstShape, maskedInput } from '../layers/inputs.js';
import { ROW_COUNTS, type RowCounts } from '../layers/power_softmax.js';
import { integerPower } from '../ops/integer_power.js';
import { visibleCounts } from '../ops/power_softmax.js';
import { validateOneOf, validatePositiveInteger, validatePower } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialPowerSoftmaxArgs extends PolynomialLayerArgs {
  readonly p: number;
  /** The epsilon of PowerSoftmax: the approximation is of `1/(mean(x^p) + epsilon)`. */
  readonly epsilon: number;
  readonly axis: number;
  /** Length of the axis that the model was made for. */
  readonly length: number;
  /** What a row's mean is over, see `PowerSoftmax`. Default `length`. */
  readonly counts?: RowCounts;
}

/**
 * A layer of PowerSoftmax in polynomial form, `r(mean(x^p) + epsilon) * x^p / length` with `r` the polynomial for `1/x`. Input `x`, or `[x, mask]`,
 * whose public mask (with the p-th root of a count, where visible entries count) multiplies `x`; output of the shape of `x`. Attention layers of this package convert to less depth: what the weights are used for is unknown here, so the division comes first.
 */
export class PolynomialPowerSoftmax extends PolynomialLayer {
  static readonly className = 'PolynomialPowerSoftmax';
  readonly p: number;
  readonly epsilon: number;
  readonly axis: number;
  readonly length: number;
  readonly counts: RowCounts;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialPowerSoftmaxArgs) {
    super(args, 'reciprocal');
    this.p = validatePower(args.p, this.name);
    this.epsilon = args.epsilon;
    this.axis = args.axis;
    this.length = validatePositiveInteger('length', args.length, this.name);
    this.counts = validateOneOf('counts', args.counts ?? 'length', ROW_COUNTS, this.name);
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
      const { x, mask } = maskedInput(inputs, this.name);
      const powered = integerPower(mask === undefined ? x : tf.mul(x, this.weighted(tf.cast(mask, 'float32'), x)), this.p);
      const mean = tf.mul(tf.sum(powered, this.axis, true), tf.scalar(slope / this.length));
      const u = tf.add(mean, tf.scalar(slope * this.epsilon + offset));
      return tf.mul(powered, this.polynomial(u, 1 / this.length));
    });
  }

  /** The mask, times the p-th root of what turns a mean over the length into one over visible entries. */
  private weighted(mask: tf.Tensor, x: tf.Tensor): tf.Tensor {
    if (this.counts === 'length') return mask;
    const share = tf.div(tf.scalar(this.length), visibleCounts(mask, x, this.axis));
    return tf.mul(mask, tf.pow(share, tf.scalar(1 / this.p)));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { p, epsilon, axis, length, counts } = this;
    return { ...super.getConfig(), p, epsilon, axis, length, counts };
  }
}
tf.serialization.registerClass(PolynomialPowerSoftmax);

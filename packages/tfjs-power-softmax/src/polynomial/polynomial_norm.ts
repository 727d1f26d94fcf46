import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { firstShape, lastDimension } from '../layers/inputs.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialNormArgs extends PolynomialLayerArgs {
  /** The epsilon of LayerNorm: the approximation is of `1/sqrt(variance + epsilon)`. */
  readonly epsilon: number;
  /** False for RMSNorm: the mean is not subtracted, and there is no `beta`. Default true. */
  readonly centred?: boolean;
}

/**
 * LayerNorm, or RMSNorm, in polynomial form, over the sum of its inputs (a residual connection enters as second input). The input, centred for
 * LayerNorm, is scaled so that the sum of its squares plus a constant is the variable of the approximation of `1/sqrt(x)`; `gamma` carries the
 * inverse scale. The multiplication by `gamma` runs beside the approximation and adds no level. Inputs and output `[batch, tokens, d]`.
 */
export class PolynomialNorm extends PolynomialLayer {
  static readonly className: string = 'PolynomialNorm';
  readonly epsilon: number;
  readonly centred: boolean;
  private features = 1;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialNormArgs) {
    super(args, 'rsqrt');
    this.epsilon = args.epsilon;
    this.centred = args.centred ?? true;
  }

  get site(): string {
    return `${this.name}/${this.centred ? 'variance' : 'mean_square'}`;
  }

  /** What the centred input is multiplied by: the square root of the unit variable's slope over the number of features. */
  private get scale(): number {
    return Math.sqrt(unitMap(this.approximation).slope / this.features);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.features = lastDimension(inputShape, this.name);
    if (this.centred) this.addNorm('', this.features);
    else this.addScale('', this.features);
    this.built = true;
  }

  /** Takes over `gamma` and `beta [d]` of a trained LayerNorm, or the `gamma` of an RMSNorm. */
  setFoldedWeights(gamma: tf.Tensor, ...beta: readonly tf.Tensor[]): void {
    tf.tidy(() => this.setWeights([tf.mul(gamma, tf.scalar(1 / this.scale)), ...beta]));
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      const { carrier, inverse } = this.normalise(Array.isArray(inputs) ? inputs : [inputs]);
      return this.shifted(tf.mul(carrier, inverse));
    });
  }

  /** Factors of the normalised sum of `inputs`, before `beta`: what carries the features, and the inverse root of their mean square, `[batch, tokens, 1]`. */
  protected normalise([first, ...rest]: readonly tf.Tensor[]): { readonly carrier: tf.Tensor; readonly inverse: tf.Tensor } {
    if (first === undefined) throw new InvalidArgumentError(`Layer ${this.name} got no input.`, { layer: this.name });
    const x = rest.reduce<tf.Tensor>((sum, input) => tf.add(sum, input), first);
    const { slope, offset } = unitMap(this.approximation);
    const centred = tf.mul(this.centred ? tf.sub(x, tf.mean(x, -1, true)) : x, tf.scalar(this.scale));
    const u = tf.add(tf.sum(tf.square(centred), -1, true), tf.scalar(slope * this.epsilon + offset));
    return { carrier: tf.mul(centred, this.weight('gamma')), inverse: this.polynomial(u) };
  }

  /** Adds `beta`, where there is one, `factor` times. */
  protected shifted(normalised: tf.Tensor, factor?: tf.Tensor): tf.Tensor {
    if (!this.centred) return normalised;
    const beta = this.weight('beta');
    return tf.add(normalised, factor === undefined ? beta : tf.mul(beta, factor));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon, centred: this.centred };
  }
}
tf.serialization.registerClass(PolynomialNorm);

import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import type { FeedForwardWeights } from '../layers/feed_forward.js';
import { lastDimension, sequenceInputs } from '../layers/inputs.js';
import { project } from '../layers/self_attention.js';
import { validatePositiveInteger } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialFeedForwardArgs extends PolynomialLayerArgs {
  readonly hiddenDim: number;
}

/**
 * Feed-forward network with a polynomial for GELU. The unit variable's slope and offset are folded into the first projection. Input and
 * output `[batch, tokens, d]`.
 */
export class PolynomialFeedForward extends PolynomialLayer {
  static readonly className = 'PolynomialFeedForward';
  readonly hiddenDim: number;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialFeedForwardArgs) {
    super(args, 'gelu');
    this.hiddenDim = validatePositiveInteger('hiddenDim', args.hiddenDim);
  }

  get site(): string {
    return `${this.name}/activation`;
  }

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    this.addProjection('hidden', features, this.hiddenDim, true);
    this.addProjection('output', this.hiddenDim, features, true);
    this.built = true;
  }

  /** Takes over the weights of a trained feed-forward network. */
  setFoldedWeights({ hidden, output }: FeedForwardWeights): void {
    tf.tidy(() => {
      const { slope, offset } = unitMap(this.approximation);
      const kernel = tf.mul(hidden.kernel, tf.scalar(slope));
      const bias = tf.add(tf.mul(hidden.bias ?? tf.zeros([this.hiddenDim]), tf.scalar(slope)), tf.scalar(offset));
      this.setWeights([kernel, bias, output.kernel, output.bias ?? tf.zeros([output.kernel.shape[1]])]);
    });
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { x } = sequenceInputs(inputs, this.name);
      return project(this.polynomial(project(x, this.projection('hidden', true))), this.projection('output', true));
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), hiddenDim: this.hiddenDim };
  }
}
tf.serialization.registerClass(PolynomialFeedForward);

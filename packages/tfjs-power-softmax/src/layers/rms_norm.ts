import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { validateNonNegative } from '../validate.js';
import { lastDimension, singleInput } from './inputs.js';
import { DEFAULT_NORM_EPSILON, reportedNorm } from './norms.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

export interface RMSNormArgs extends SeededLayerArgs {
  /** Added to the mean square, >= 0. Default 1e-3. */
  readonly epsilon?: number;
}

/**
 * Root mean square normalisation over the last axis with weight `gamma` (arXiv 1910.07467). Cheaper than LayerNorm by the mean. Reports
 * `<name>/mean_square` to range recordings.
 */
export class RMSNorm extends WeightedLayer {
  static readonly className = 'RMSNorm';
  readonly epsilon: number;

  /** @throws InvalidArgumentError for a negative epsilon */
  constructor(args: RMSNormArgs = {}) {
    super(args);
    this.epsilon = validateNonNegative('epsilon', args.epsilon ?? DEFAULT_NORM_EPSILON, this.name);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.addScale('', lastDimension(inputShape, this.name));
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => reportedNorm(singleInput(inputs, this.name), [this.weight('gamma')], this.epsilon, this.name));
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(RMSNorm);

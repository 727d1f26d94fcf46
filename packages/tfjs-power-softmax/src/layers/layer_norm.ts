import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { validateNonNegative } from '../validate.js';
import { lastDimension, singleInput } from './inputs.js';
import { DEFAULT_NORM_EPSILON, reportedNorm } from './norms.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

export interface LayerNormArgs extends SeededLayerArgs {
  /** Added to the variance, >= 0. Default 1e-3. */
  readonly epsilon?: number;
}

/** Layer normalisation over the last axis with weights `gamma` and `beta`. Reports `<name>/variance` to range recordings. */
export class LayerNorm extends WeightedLayer {
  static readonly className = 'LayerNorm';
  readonly epsilon: number;

  /** @throws InvalidArgumentError for a negative epsilon */
  constructor(args: LayerNormArgs = {}) {
    super(args);
    this.epsilon = validateNonNegative('epsilon', args.epsilon ?? DEFAULT_NORM_EPSILON, this.name);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.addNorm('', lastDimension(inputShape, this.name));
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() =>
      reportedNorm(singleInput(inputs, this.name), [this.weight('gamma'), this.weight('beta')], this.epsilon, this.name),
    );
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(LayerNorm);

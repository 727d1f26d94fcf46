import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layerNorm } from '../ops/layer_norm.js';
import { validateNonNegative } from '../validate.js';
import { reportVariance } from './feed_forward.js';
import { lastDimension, singleInput } from './inputs.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

/** Default of the epsilon added to variances. Raise it (0.1 and more, with inputs of unit scale) to make the polynomial cheap. */
export const DEFAULT_NORM_EPSILON = 1e-3;

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
    this.epsilon = validateNonNegative('epsilon', args.epsilon ?? DEFAULT_NORM_EPSILON);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.addNorm('', lastDimension(inputShape, this.name));
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = singleInput(inputs, this.name);
      reportVariance(x, this.epsilon, `${this.name}/variance`);
      return layerNorm(x, this.weight('gamma'), this.weight('beta'), this.epsilon);
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(LayerNorm);

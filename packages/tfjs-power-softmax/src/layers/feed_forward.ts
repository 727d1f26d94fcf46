import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { gelu } from '../ops/gelu.js';
import { quadratic } from '../ops/quadratic.js';
import { silu } from '../ops/silu.js';
import { reportRange } from '../ranges/recorder.js';
import { validateOneOf, validatePositiveInteger } from '../validate.js';
import { type Projection, project } from './attention.js';
import { lastDimension, singleSequence } from './inputs.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

/**
 * - `gelu`: `gelu(x W_h) W_o`
 * - `quadratic`: `q(x W_h) W_o`, `q` MPCFormer's quadratic `x^2 / 8 + x / 4 + 1/2`, which needs no approximation
 * - `swiglu`: `(silu(x W_g) * (x W_h)) W_o` (SiLU-gated; Shazeer, arXiv 2002.05202)
 */
export type ActivationKind = 'gelu' | 'quadratic' | 'swiglu';

export const ACTIVATION_KINDS: readonly ActivationKind[] = ['gelu', 'quadratic', 'swiglu'];

export interface FeedForwardWeights {
  readonly hidden: Projection;
  /** Of `swiglu` only. */
  readonly gate?: Projection;
  readonly output: Projection;
}

/**
 * Feed-forward network on the last axis; reports the inputs of GELU or SiLU as `<name>/activation`.
 *
 * @param x `[batch, tokens, d]`
 */
export function feedForward(x: tf.Tensor3D, weights: FeedForwardWeights, activation: ActivationKind, name: string): tf.Tensor3D {
  const site = `${name}/activation`;
  const hidden = project(x, weights.hidden);
  if (weights.gate !== undefined) {
    const gate = project(x, weights.gate);
    reportRange({ name: site, function: 'silu' }, () => gate);
    return project(tf.mul(silu(gate), hidden), weights.output);
  }
  if (activation === 'quadratic') return project(quadratic(hidden), weights.output);
  reportRange({ name: site, function: 'gelu' }, () => hidden);
  return project(gelu(hidden), weights.output);
}

export interface FeedForwardArgs extends SeededLayerArgs {
  /** Units of the hidden layer. */
  readonly hiddenDim: number;
  /** Default `gelu`. */
  readonly activation?: ActivationKind;
}

/**
 * Feed-forward network of a transformer with biases, see {@link ActivationKind}. Input and output `[batch, tokens, d]`. Weights
 * `hidden/kernel|bias`, for `swiglu` `gate/kernel|bias`, and `output/kernel|bias`. Reports `<name>/activation` to range recordings, but
 * for `quadratic`.
 */
export class FeedForward extends WeightedLayer {
  static readonly className = 'FeedForward';
  readonly hiddenDim: number;
  readonly activation: ActivationKind;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: FeedForwardArgs) {
    super(args);
    this.hiddenDim = validatePositiveInteger('hiddenDim', args.hiddenDim, this.name);
    this.activation = validateOneOf('activation', args.activation ?? 'gelu', ACTIVATION_KINDS, this.name);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.addFeedForward('', lastDimension(inputShape, this.name), this.hiddenDim, this.activation === 'swiglu');
    this.built = true;
  }

  /** Current values of the projections. */
  feedForwardWeights(): FeedForwardWeights {
    return this.feedForwardProjections('', this.activation === 'swiglu');
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => feedForward(singleSequence(inputs, this.name), this.feedForwardWeights(), this.activation, this.name));
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { hiddenDim, activation, seed } = this;
    return { ...super.getConfig(), hiddenDim, activation, ...(seed === undefined ? {} : { seed }) };
  }
}
tf.serialization.registerClass(FeedForward);

import * as tf from '@tensorflow/tfjs-core';
import { linear } from '../ops/linear.js';
import { validateNonNegative, validateOneOf, validatePositiveInteger } from '../validate.js';
import type { Projection } from './attention.js';
import { DEFAULT_NORM_EPSILON, NORM_KINDS, type NormKind, type NormWeights, reportedNorm } from './norms.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

export interface LogitsArgs extends SeededLayerArgs {
  /** Number of logits: classes, or entries of the vocabulary. */
  readonly units: number;
  /** Normalisation before the projection, the last one of a pre-norm model. Default `none`. */
  readonly norm?: NormKind | 'none';
  /** Added to the variance (or mean square) in the normalisation, >= 0. Default 1e-3. */
  readonly normEpsilon?: number;
  /** Whether the projection has a bias. Default true for `ClassificationHead`, false for `LanguageModelHead`. */
  readonly useBias?: boolean;
}

/** What heads share: an optional normalisation with weights `norm/gamma|beta`, then the projection `logits/kernel|bias`. */
export abstract class LogitsLayer extends WeightedLayer {
  readonly units: number;
  readonly norm: NormKind | 'none';
  readonly normEpsilon: number;
  readonly useBias: boolean;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: LogitsArgs, useBias: boolean) {
    super(args);
    this.units = validatePositiveInteger('units', args.units, this.name);
    this.norm = validateOneOf('norm', args.norm ?? 'none', ['none', ...NORM_KINDS], this.name);
    this.normEpsilon = validateNonNegative('normEpsilon', args.normEpsilon ?? DEFAULT_NORM_EPSILON, this.name);
    this.useBias = args.useBias ?? useBias;
  }

  /** Current values of the normalisation, if there is one. */
  normWeights(): NormWeights | undefined {
    if (this.norm === 'none') return undefined;
    return this.norm === 'rms' ? [this.weight('norm/gamma')] : [this.weight('norm/gamma'), this.weight('norm/beta')];
  }

  /** Current value of the projection to logits. */
  logitsProjection(): Projection {
    return this.projection('logits', this.useBias);
  }

  protected addLogits(features: number): void {
    if (this.norm === 'layer') this.addNorm('norm/', features);
    if (this.norm === 'rms') this.addScale('norm/', features);
    this.addProjection('logits', features, this.units, this.useBias);
  }

  /** `[..., d] -> [..., units]` */
  protected logits(x: tf.Tensor): tf.Tensor {
    const weights = this.normWeights();
    const normalised = weights === undefined ? x : reportedNorm(x, weights, this.normEpsilon, `${this.name}/norm`);
    const features = x.shape[x.rank - 1] ?? 1;
    const { kernel, bias } = this.logitsProjection();
    const rows = linear(tf.reshape(normalised, [x.size / features, features]), kernel, bias);
    return tf.reshape(rows, [...x.shape.slice(0, -1), this.units]);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { units, norm, normEpsilon, useBias, seed } = this;
    return { ...super.getConfig(), units, norm, normEpsilon, useBias, ...(seed === undefined ? {} : { seed }) };
  }
}

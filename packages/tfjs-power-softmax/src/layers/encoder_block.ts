import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { validateNonNegative, validateOneOf, validatePositiveInteger } from '../validate.js';
import { type AttentionArgs, type AttentionConfig, attentionConfig } from './attention_config.js';
import { ACTIVATION_KINDS, type ActivationKind, type FeedForwardWeights, feedForward } from './feed_forward.js';
import { type CallArguments, firstShape, lastDimension, sequenceInputs } from './inputs.js';
import { DEFAULT_NORM_EPSILON, NORM_KINDS, type NormKind, type NormWeights, reportedNorm } from './norms.js';
import { type SelfAttentionWeights, selfAttention } from './self_attention.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

export interface EncoderBlockArgs extends SeededLayerArgs, AttentionArgs {
  /** Units of the feed-forward network's hidden layer. */
  readonly hiddenDim: number;
  /** Default `gelu`. */
  readonly activation?: ActivationKind;
  /** Added to the variance (or mean square) in both normalisations, >= 0. Default 1e-3. */
  readonly normEpsilon?: number;
  /** Default `layer`. */
  readonly norm?: NormKind;
  /** Share of entries dropped from each sub-layer's output while training, in [0, 1). Default 0. */
  readonly dropout?: number;
}

/** The two normalisations of a block. */
export type BlockNorm = 'attention_norm' | 'feed_forward_norm';

/**
 * Post-norm transformer encoder block:
 *
 *     a = LayerNorm(x + attention(x));  y = LayerNorm(a + feedForward(a))
 *
 * Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1 `mask [batch, tokens]`; output `[batch, tokens, d]`. Weights as in
 * `MultiHeadAttention` under `attention/`, then `attention_norm/gamma|beta`, those of
 * `FeedForward` under `feed_forward/`, `feed_forward_norm/gamma|beta`. Reports to range recordings `<name>/attention/denominator` (or `/scores`),
 * `<name>/attention_norm/variance`, `<name>/feed_forward/activation` and `<name>/feed_forward_norm/variance`. With `norm: 'rms'` RMSNorm takes the
 * place of LayerNorm: there is no `beta`, and the sites end in `/mean_square`.
 */
export class EncoderBlock extends WeightedLayer {
  static readonly className = 'EncoderBlock';
  readonly config: AttentionConfig;
  readonly hiddenDim: number;
  readonly activation: ActivationKind;
  readonly normEpsilon: number;
  readonly norm: NormKind;
  readonly dropout: number;
  /**
   * Number of training calls so far. Dropout masks derive from the seed and this count, so setting it back to its value at a checkpoint
   * makes a resumed training run repeat exactly.
   */
  trainingStep = 0;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: EncoderBlockArgs) {
    super(args);
    this.config = attentionConfig(args);
    this.hiddenDim = validatePositiveInteger('hiddenDim', args.hiddenDim);
    this.activation = validateOneOf('activation', args.activation ?? 'gelu', ACTIVATION_KINDS);
    this.normEpsilon = validateNonNegative('normEpsilon', args.normEpsilon ?? DEFAULT_NORM_EPSILON);
    this.norm = validateOneOf('norm', args.norm ?? 'layer', NORM_KINDS);
    this.dropout = validateNonNegative('dropout', args.dropout ?? 0);
    if (this.dropout >= 1) throw new InvalidArgumentError(`dropout must be below 1, got ${this.dropout}.`, { dropout: this.dropout });
  }

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    this.addAttention('attention/', features, this.config);
    this.addBlockNorm('attention_norm/', features);
    this.addFeedForward('feed_forward/', features, this.hiddenDim, this.activation === 'swiglu');
    this.addBlockNorm('feed_forward_norm/', features);
    this.built = true;
  }

  private addBlockNorm(name: string, features: number): void {
    if (this.norm === 'rms') this.addScale(name, features);
    else this.addNorm(name, features);
  }

  /** Current values of the attention projections. */
  attentionWeights(): SelfAttentionWeights {
    return this.attentionProjections('attention/', this.config);
  }

  /** Current values of the feed-forward projections. */
  feedForwardWeights(): FeedForwardWeights {
    return this.feedForwardProjections('feed_forward/', this.activation === 'swiglu');
  }

  /** Current values of one of the normalisations. */
  normWeights(norm: BlockNorm): NormWeights {
    const gamma = this.weight(`${norm}/gamma`);
    return this.norm === 'rms' ? [gamma] : [gamma, this.weight(`${norm}/beta`)];
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask } = sequenceInputs(inputs, this.name);
      const training = kwargs.training === true && this.dropout > 0;
      const attended = selfAttention(x, this.attentionWeights(), { ...this.config, name: `${this.name}/attention` }, mask);
      const middle = this.normalise(tf.add(x, training ? this.drop(attended, 0) : attended), 'attention_norm');
      const transformed = feedForward(middle, this.feedForwardWeights(), this.activation, `${this.name}/feed_forward`);
      const output = this.normalise(tf.add(middle, training ? this.drop(transformed, 1) : transformed), 'feed_forward_norm');
      if (training) this.trainingStep += 1;
      return output;
    });
  }

  private normalise(x: tf.Tensor3D, norm: BlockNorm): tf.Tensor3D {
    return reportedNorm(x, this.normWeights(norm), this.normEpsilon, `${this.name}/${norm}`);
  }

  private drop(x: tf.Tensor3D, index: number): tf.Tensor3D {
    const seed = this.seed === undefined ? undefined : `${this.seed}:${this.trainingStep}:${index}`;
    // tf.dropout keeps the shape but is typed as Tensor.
    return tf.dropout(x, this.dropout, undefined, seed) as tf.Tensor3D;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      ...this.config,
      hiddenDim: this.hiddenDim,
      activation: this.activation,
      normEpsilon: this.normEpsilon,
      norm: this.norm,
      dropout: this.dropout,
      ...(this.seed === undefined ? {} : { seed: this.seed }),
    };
  }
}
tf.serialization.registerClass(EncoderBlock);

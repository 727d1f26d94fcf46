import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { validateNonNegative, validateOneOf, validatePositiveInteger } from '../validate.js';
import type { AttentionWeights } from './attention.js';
import { type AttentionArgs, type AttentionConfig, attentionConfig } from './attention_config.js';
import { ACTIVATION_KINDS, type ActivationKind, type FeedForwardWeights, feedForward } from './feed_forward.js';
import { firstShape } from './inputs.js';
import { DEFAULT_NORM_EPSILON, NORM_KINDS, type NormKind, type NormWeights, reportedNorm } from './norms.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

export interface TransformerBlockArgs extends SeededLayerArgs, AttentionArgs {
  /** Units of the feed-forward network's hidden layer. */
  readonly hiddenDim: number;
  /** Default `gelu`. */
  readonly activation?: ActivationKind;
  /** Added to the variance (or mean square) in every normalisation, >= 0. Default 1e-3. */
  readonly normEpsilon?: number;
  /** Default `layer`. */
  readonly norm?: NormKind;
  /**
   * Normalises the input of each sub-layer (pre-norm, as GPT-2, Pythia and Llama do) in place of the sum after it: deep stacks train more
   * easily (Xiong et al., arXiv 2002.04745), and the last block is followed by a normalisation of its own. Default false.
   */
  readonly normFirst?: boolean;
  /** Share of entries dropped from each sub-layer's output while training, in [0, 1). Default 0. */
  readonly dropout?: number;
}

/** The normalisations of blocks; encoders have no `cross_attention_norm`. */
export type BlockNorm = 'attention_norm' | 'cross_attention_norm' | 'feed_forward_norm';

/** What encoder and decoder blocks share: settings, a feed-forward network, and residual connections with normalisation and dropout. */
export abstract class TransformerBlock extends WeightedLayer {
  readonly config: AttentionConfig;
  readonly hiddenDim: number;
  readonly activation: ActivationKind;
  readonly normEpsilon: number;
  readonly norm: NormKind;
  readonly normFirst: boolean;
  readonly dropout: number;
  /**
   * Number of training calls so far. Dropout masks derive from the seed and this count, so setting it back to its value at a checkpoint
   * makes a resumed training run repeat exactly.
   */
  trainingStep = 0;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: TransformerBlockArgs) {
    super(args);
    this.config = attentionConfig(args, this.name);
    this.hiddenDim = validatePositiveInteger('hiddenDim', args.hiddenDim, this.name);
    this.activation = validateOneOf('activation', args.activation ?? 'gelu', ACTIVATION_KINDS, this.name);
    this.normEpsilon = validateNonNegative('normEpsilon', args.normEpsilon ?? DEFAULT_NORM_EPSILON, this.name);
    this.norm = validateOneOf('norm', args.norm ?? 'layer', NORM_KINDS, this.name);
    this.normFirst = args.normFirst ?? false;
    this.dropout = validateNonNegative('dropout', args.dropout ?? 0, this.name);
    if (this.dropout >= 1)
      throw new InvalidArgumentError(`${this.name}: dropout must be below 1, got ${this.dropout}.`, {
        layer: this.name,
        dropout: this.dropout,
      });
  }

  /** Current values of the self-attention projections. */
  attentionWeights(): AttentionWeights {
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

  protected addBlockNorm(norm: BlockNorm, features: number): void {
    if (this.norm === 'rms') this.addScale(`${norm}/`, features);
    else this.addNorm(`${norm}/`, features);
  }

  /** Adds the feed-forward network and the normalisation after it. */
  protected addFeedForwardPart(features: number): void {
    this.addFeedForward('feed_forward/', features, this.hiddenDim, this.activation === 'swiglu');
    this.addBlockNorm('feed_forward_norm', features);
  }

  /**
   * A sub-layer with its residual connection: `norm(x + f(x))`, or `x + f(norm(x))` with `normFirst`; with dropout on `f` while training.
   *
   * @param index of the sub-layer in the block, so that each drops other entries
   */
  protected residual(x: tf.Tensor3D, norm: BlockNorm, index: number, training: boolean, f: (x: tf.Tensor3D) => tf.Tensor3D): tf.Tensor3D {
    const normalised = (of: tf.Tensor3D): tf.Tensor3D => reportedNorm(of, this.normWeights(norm), this.normEpsilon, `${this.name}/${norm}`);
    const change = f(this.normFirst ? normalised(x) : x);
    const sum = tf.add<tf.Tensor3D>(x, training && this.dropout > 0 ? this.drop(change, index) : change);
    return this.normFirst ? sum : normalised(sum);
  }

  /** The feed-forward network with its residual connection: the last part of a block, which counts the training step. */
  protected finish(x: tf.Tensor3D, index: number, training: boolean): tf.Tensor3D {
    const output = this.residual(x, 'feed_forward_norm', index, training, (input) =>
      feedForward(input, this.feedForwardWeights(), this.activation, `${this.name}/feed_forward`),
    );
    if (training && this.dropout > 0) this.trainingStep += 1;
    return output;
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
    const { config, hiddenDim, activation, normEpsilon, norm, normFirst, dropout, seed } = this;
    return {
      ...super.getConfig(),
      ...config,
      hiddenDim,
      activation,
      normEpsilon,
      norm,
      normFirst,
      dropout,
      ...(seed === undefined ? {} : { seed }),
    };
  }
}

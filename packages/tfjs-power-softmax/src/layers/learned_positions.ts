import * as tf from '@tensorflow/tfjs-core';
import { initializers, type Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { validatePositiveInteger } from '../validate.js';
import { type CallArguments, firstShape, lastDimension, sequenceInputs } from './inputs.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

/** Standard deviation of initial position vectors, as in BERT and GPT-2. */
const INITIAL_DEVIATION = 0.02;

export interface LearnedPositionsArgs extends SeededLayerArgs {
  /** Largest number of tokens. */
  readonly maxTokens: number;
}

/**
 * Adds a learned vector per position. Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1 `mask [batch, tokens]` (or a Keras mask of `x`), whose
 * zeros give rows of zeros: PowerSoftmax attention then ignores the padding by itself. Output `[batch, tokens, d]`. Weight `positions [maxTokens, d]`.
 */
export class LearnedPositions extends WeightedLayer {
  // tfjs-layers registers a PositionEmbedding of its own, which must stay loadable.
  static readonly className = 'LearnedPositions';
  readonly maxTokens: number;

  /** @throws InvalidArgumentError unless `maxTokens` is a positive integer */
  constructor(args: LearnedPositionsArgs) {
    super(args);
    this.maxTokens = validatePositiveInteger('maxTokens', args.maxTokens, this.name);
  }

  /** @throws InvalidArgumentError for more than `maxTokens` tokens */
  override build(inputShape: Shape | Shape[]): void {
    this.checkTokens(firstShape(inputShape)[1] ?? 1);
    const seed = this.seed === undefined ? {} : { seed: this.seed };
    const initializer = initializers.randomNormal({ mean: 0, stddev: INITIAL_DEVIATION, ...seed });
    this.addNamedWeight('positions', [this.maxTokens, lastDimension(inputShape, this.name)], initializer);
    this.built = true;
  }

  /** @throws InvalidArgumentError for more than `maxTokens` tokens */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask: given } = sequenceInputs(inputs, this.name);
      const mask = this.maskOf(x, given, kwargs);
      const [batch, tokens] = x.shape;
      this.checkTokens(tokens);
      const positions = this.weight('positions');
      const placed = tf.add(x, tokens === this.maxTokens ? positions : tf.slice(positions, [0, 0], [tokens, -1]));
      return mask === undefined ? placed : tf.mul(placed, tf.reshape(tf.cast(mask, 'float32'), [batch, tokens, 1]));
    });
  }

  private checkTokens(tokens: number): void {
    if (tokens <= this.maxTokens) return;
    throw new InvalidArgumentError(
      `${this.name} has ${this.maxTokens} positions, got ${tokens} tokens. Raise maxTokens or cut the input.`,
      {
        layer: this.name,
        tokens,
        maxTokens: this.maxTokens,
      },
    );
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), maxTokens: this.maxTokens, ...(this.seed === undefined ? {} : { seed: this.seed }) };
  }
}
tf.serialization.registerClass(LearnedPositions);

import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { project } from '../layers/attention.js';
import { type CallArguments, firstShape, lastDimension, sequenceInputs } from '../layers/inputs.js';
import { integerPower } from '../ops/integer_power.js';
import { validatePositiveInteger, validatePower } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialAttentionPoolingArgs extends PolynomialLayerArgs {
  /** Numbers of the output: heads times the size of a head's values. */
  readonly units: number;
  readonly p: number;
  /** The epsilon of PowerSoftmax: the approximation is of `1/(mean(scores^p) + epsilon)`. */
  readonly epsilon: number;
  /** Number of tokens the model was made for: means are over these, whatever the padding. */
  readonly tokens: number;
}

/**
 * `AttentionPooling` with PowerSoftmax in polynomial form. With `S = X Q` the scores and `r` the polynomial for `1/x`,
 *
 *     y = r(mean(S^p) + epsilon) * sum(S^p X V) / tokens,
 *
 * all elementwise but for the sums over tokens: a head's query is repeated for each of its values, so that no product of encrypted matrices is
 * left, and the division is deferred past the sum, beside which the polynomial runs. For p = 2 and a reciprocal of depth r that is r + 3 levels
 * from `x`. The query kernel carries the slope of the polynomial's variable (as its p-th root). Input `x [batch, tokens, d]` or
 * `[x, mask]`, output `[batch, units]`.
 */
export class PolynomialAttentionPooling extends PolynomialLayer {
  static readonly className = 'PolynomialAttentionPooling';
  readonly units: number;
  readonly p: number;
  readonly epsilon: number;
  readonly tokens: number;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialAttentionPoolingArgs) {
    super(args, 'reciprocal');
    this.units = validatePositiveInteger('units', args.units, this.name);
    this.p = validatePower(args.p, this.name);
    this.epsilon = args.epsilon;
    this.tokens = validatePositiveInteger('tokens', args.tokens, this.name);
  }

  get site(): string {
    return `${this.name}/denominator`;
  }

  /** @throws InvalidArgumentError for another number of tokens than the model was made for */
  override build(inputShape: Shape | Shape[]): void {
    const tokens = firstShape(inputShape)[1];
    if (tokens !== this.tokens) {
      throw new InvalidArgumentError(`Layer ${this.name} was made for ${this.tokens} tokens, got ${tokens}. Pad the input.`, {
        tokens: this.tokens,
      });
    }
    const features = lastDimension(inputShape, this.name);
    for (const name of ['query', 'value']) this.addProjection(name, features, this.units, false);
    this.built = true;
  }

  /**
   * Takes over the weights of a trained layer, constants folded in.
   *
   * @param query `[d, heads]`
   * @param value `[d, units]`
   */
  setFoldedWeights(query: tf.Tensor2D, value: tf.Tensor2D): void {
    tf.tidy(() => {
      const [features, heads] = query.shape;
      const factor = tf.scalar((unitMap(this.approximation).slope / this.tokens) ** (1 / this.p));
      const columns = tf.tile(tf.reshape(tf.mul(query, factor), [features, heads, 1]), [1, 1, this.units / heads]);
      this.setWeights([tf.reshape(columns, [features, this.units]), value]);
    });
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask: given } = sequenceInputs(inputs, this.name);
      const mask = this.maskOf(x, given, kwargs);
      const { slope, offset } = unitMap(this.approximation);
      // Tokens last, [batch, units, tokens]: where these lie outermost in the slots, their sum is a few rotations and no level.
      const lastly = (name: string): tf.Tensor => tf.transpose(project(x, this.projection(name, false)), [0, 2, 1]);
      const scores = lastly('query');
      const [batch, tokens] = x.shape;
      const seen = mask === undefined ? scores : tf.mul(scores, tf.reshape(tf.cast(mask, 'float32'), [batch, 1, tokens]));
      const powered = integerPower(seen, this.p);
      const u = tf.add(tf.sum(powered, -1, true), tf.scalar(slope * this.epsilon + offset));
      const sums = tf.sum(tf.mul(powered, lastly('value')), -1, true);
      return tf.reshape(tf.mul(sums, this.polynomial(u, 1 / slope)), [batch, this.units]);
    });
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return this.endMask(inputs, mask);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [firstShape(inputShape)[0] ?? null, this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { units, p, epsilon, tokens } = this;
    return { ...super.getConfig(), units, p, epsilon, tokens };
  }
}
tf.serialization.registerClass(PolynomialAttentionPooling);

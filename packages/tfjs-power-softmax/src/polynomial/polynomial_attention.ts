import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { type AttentionWeights, mergeHeads, type Projection, project, splitHeads } from '../layers/attention.js';
import { causalMask } from '../layers/causal_mask.js';
import { type CallArguments, firstShape, lastDimension, sequenceInputs } from '../layers/inputs.js';
import { integerPower } from '../ops/integer_power.js';
import { rotary } from '../ops/rotary.js';
import { validatePositiveInteger, validatePower } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialAttentionArgs extends PolynomialLayerArgs {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly p: number;
  /** The epsilon of PowerSoftmax: the approximation is of `1/(mean(scores^p) + epsilon)`. */
  readonly epsilon: number;
  readonly useBias: boolean;
  /** Number of tokens the model was made for: the mean is over these, whatever the padding. */
  readonly tokens: number;
  /** Tokens see themselves and those before them only; the mean is over those. Default false. */
  readonly causal?: boolean;
  /** Queries and keys are turned by their positions. Default false. */
  readonly rotary?: boolean;
}

/**
 * Self-attention with PowerSoftmax in polynomial form. With `S` the scores and `r` the polynomial for `1/x`,
 *
 *     y = (r(mean(S^p) + epsilon) * (S^p V) / tokens) W_o + b_o,
 *
 * the division deferred past the value product. Everything constant is folded away: the query kernel carries `1/sqrt(keyDim)` and the slope of
 * the polynomial's unit variable (as its p-th root), so that the row sums of the powered scores plus a constant *are* that variable; the
 * remaining factor is in the polynomial's coefficients. Rows of zeros have score and weight 0. Input and output `[batch, tokens, d]`; with a
 * mask, `[x, mask]`, masked keys are zeroed. Causal attention multiplies the powered scores by a constant that is 0 after the diagonal and the
 * inverse of the number of visible keys before it, at the cost of one level.
 */
export class PolynomialAttention extends PolynomialLayer {
  static readonly className = 'PolynomialAttention';
  readonly numHeads: number;
  readonly keyDim: number;
  readonly p: number;
  readonly epsilon: number;
  readonly useBias: boolean;
  readonly tokens: number;
  readonly causal: boolean;
  readonly rotary: boolean;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialAttentionArgs) {
    super(args, 'reciprocal');
    this.numHeads = validatePositiveInteger('numHeads', args.numHeads);
    this.keyDim = validatePositiveInteger('keyDim', args.keyDim);
    this.p = validatePower(args.p);
    this.epsilon = args.epsilon;
    this.useBias = args.useBias;
    this.tokens = validatePositiveInteger('tokens', args.tokens);
    this.causal = args.causal ?? false;
    this.rotary = args.rotary ?? false;
  }

  get site(): string {
    return `${this.name}/denominator`;
  }

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    const tokens = firstShape(inputShape)[1];
    if (tokens !== this.tokens) {
      throw new InvalidArgumentError(`Layer ${this.name} was made for ${this.tokens} tokens, got ${tokens}. Pad the input.`, {
        tokens: this.tokens,
      });
    }
    const units = this.numHeads * this.keyDim;
    for (const name of ['query', 'key', 'value']) this.addProjection(name, features, units, this.useBias);
    this.addProjection('output', units, features, true);
    this.built = true;
  }

  /** Takes over the weights of a trained attention layer, with all constants folded into the query projection. */
  setFoldedWeights(weights: AttentionWeights): void {
    tf.tidy(() => {
      const { slope } = unitMap(this.approximation);
      // A causal mask divides each row by its own number of keys.
      const factor = (slope / (this.causal ? 1 : this.tokens)) ** (1 / this.p) / Math.sqrt(this.keyDim);
      const { query, key, value, output } = weights;
      this.setWeights([scaled(query, factor), key, value, output].flatMap((projection) => tensorsOf(projection)));
    });
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask: given } = sequenceInputs(inputs, this.name);
      const mask = this.maskOf(x, given, kwargs);
      const { slope, offset } = unitMap(this.approximation);
      const positioned = (heads: tf.Tensor4D): tf.Tensor4D => (this.rotary ? rotary(heads) : heads);
      const query = positioned(splitHeads(project(x, this.projection('query', this.useBias)), this.numHeads));
      const key = positioned(splitHeads(maskRows(project(x, this.projection('key', this.useBias)), mask), this.numHeads));
      const value = splitHeads(project(x, this.projection('value', this.useBias)), this.numHeads);
      const scores = integerPower(tf.matMul(query, key, false, true), this.p);
      const powered = this.causal
        ? tf.mul(
            scores,
            causalMask(this.tokens, this.tokens, (count) => 1 / count),
          )
        : scores;
      const u = tf.add(tf.sum(powered, -1, true), tf.scalar(slope * this.epsilon + offset));
      const attended: tf.Tensor4D = tf.mul(tf.matMul(powered, value), this.polynomial(u, 1 / slope));
      return project(mergeHeads(attended), this.projection('output', true));
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { numHeads, keyDim, p, epsilon, useBias, tokens, causal, rotary: turned } = this;
    return { ...super.getConfig(), numHeads, keyDim, p, epsilon, useBias, tokens, causal, rotary: turned };
  }
}
tf.serialization.registerClass(PolynomialAttention);

function scaled({ kernel, bias }: Projection, factor: number): Projection {
  const by = tf.scalar(factor);
  return bias === undefined ? { kernel: tf.mul(kernel, by) } : { kernel: tf.mul(kernel, by), bias: tf.mul(bias, by) };
}

function tensorsOf({ kernel, bias }: Projection): tf.Tensor[] {
  return bias === undefined ? [kernel] : [kernel, bias];
}

function maskRows(x: tf.Tensor3D, mask?: tf.Tensor2D): tf.Tensor3D {
  return mask === undefined ? x : tf.mul(x, tf.reshape(tf.cast(mask, 'float32'), [mask.shape[0], mask.shape[1], 1]));
}

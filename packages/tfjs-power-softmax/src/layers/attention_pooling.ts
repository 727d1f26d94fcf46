import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { DEFAULT_EPSILON, POWER_SOFTMAX_FORMS, type PowerSoftmaxForm } from '../ops/power_softmax.js';
import { validateNonNegative, validateOneOf, validatePositiveInteger, validatePower } from '../validate.js';
import { project, splitHeads } from './attention.js';
import { type CallArguments, firstShape, lastDimension, sequenceInputs } from './inputs.js';
import { scoreWeights } from './score_weights.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

/** How scores become weights, see `AttentionKind`. */
export type PoolingAttention = 'power' | 'softmax';

const POOLING_ATTENTIONS: readonly PoolingAttention[] = ['power', 'softmax'];

export interface AttentionPoolingArgs extends SeededLayerArgs {
  /** Number of learned queries. */
  readonly numHeads: number;
  /** Size of each head's values. */
  readonly valueDim: number;
  /** Default `power`. */
  readonly attention?: PoolingAttention;
  /** Even power of PowerSoftmax. Default 4. */
  readonly p?: number;
  /** Added to `mean(scores^p)`; default 1e-3. */
  readonly epsilon?: number;
  /** Default `stable`. */
  readonly form?: PowerSoftmaxForm;
}

/**
 * Attention of learned queries to the tokens, one query a head: `concat_h(N(X q_h) X V_h)` with `N` PowerSoftmax over the tokens, or softmax. A
 * query is a constant, so its product with the key projection is one vector `q_h` (as of the class token in CaiT, arXiv 2103.17239, without its
 * own row). Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1 `mask [batch, tokens]` (a Keras mask of `x` does the same); output
 * `[batch, numHeads * valueDim]`. Weights `query/kernel [d, numHeads]`, `value/kernel [d, numHeads * valueDim]`, without biases, so that
 * PowerSoftmax ignores rows of zeros. Scores are linear in `x`, so the polynomial form takes no product of encrypted matrices, nor the levels
 * of one. Reports `<name>/denominator` to range recordings.
 */
export class AttentionPooling extends WeightedLayer {
  static readonly className = 'AttentionPooling';
  readonly numHeads: number;
  readonly valueDim: number;
  readonly attention: PoolingAttention;
  readonly p: number;
  readonly epsilon: number;
  readonly form: PowerSoftmaxForm;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: AttentionPoolingArgs) {
    super(args);
    this.numHeads = validatePositiveInteger('numHeads', args.numHeads, this.name);
    this.valueDim = validatePositiveInteger('valueDim', args.valueDim, this.name);
    this.attention = validateOneOf('attention', args.attention ?? 'power', POOLING_ATTENTIONS, this.name);
    this.p = validatePower(args.p ?? 4, this.name);
    this.epsilon = validateNonNegative('epsilon', args.epsilon ?? DEFAULT_EPSILON, this.name);
    this.form = validateOneOf('form', args.form ?? 'stable', POWER_SOFTMAX_FORMS, this.name);
  }

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    this.addProjection('query', features, this.numHeads, false);
    this.addProjection('value', features, this.numHeads * this.valueDim, false);
    this.built = true;
  }

  /** Current values of the projections: a query `[d]` for each head, and values. */
  projections(): { readonly query: tf.Tensor2D; readonly value: tf.Tensor2D } {
    return { query: this.projection('query', false).kernel, value: this.projection('value', false).kernel };
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask: given } = sequenceInputs(inputs, this.name);
      const { attention, p, epsilon, form, name, numHeads, valueDim } = this;
      const mask = this.maskOf(x, given, kwargs);
      const [batch, tokens] = x.shape;
      const scores: tf.Tensor4D = tf.reshape(tf.transpose(project(x, this.projection('query', false)), [0, 2, 1]), [
        batch,
        numHeads,
        1,
        tokens,
      ]);
      const weights = scoreWeights(scores, { attention, p, epsilon, form, causal: false, name }, mask);
      const values = splitHeads(project(x, this.projection('value', false)), numHeads);
      return tf.reshape(tf.matMul(weights, values), [batch, numHeads * valueDim]);
    });
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return this.endMask(inputs, mask);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [firstShape(inputShape)[0] ?? null, this.numHeads * this.valueDim];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { numHeads, valueDim, attention, p, epsilon, form, seed } = this;
    return { ...super.getConfig(), numHeads, valueDim, attention, p, epsilon, form, ...(seed === undefined ? {} : { seed }) };
  }
}
tf.serialization.registerClass(AttentionPooling);

import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { causalMask } from '../layers/causal_mask.js';
import { firstShape } from '../layers/inputs.js';
import { integerPower } from '../ops/integer_power.js';
import { validateOneOf, validatePower } from '../validate.js';
import { AttentionForm, type AttentionFormArgs, type AttentionHeads } from './attention_form.js';
import { DIVISION_PLACES, type DivisionPlace, divisionCosts } from './division.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialAttentionArgs extends AttentionFormArgs {
  readonly p: number;
  /** The epsilon of PowerSoftmax: the approximation is of `1/(mean(scores^p) + epsilon)`. */
  readonly epsilon: number;
  /** Where the reciprocal is multiplied in. Default `outputs`. */
  readonly division?: DivisionPlace;
}

/** Where an attention layer divides, and what the places cost. */
export interface DivisionReport {
  readonly place: DivisionPlace;
  readonly costs: ReturnType<typeof divisionCosts>;
}

/**
 * Attention with PowerSoftmax in polynomial form. With `S` the scores and `r` the polynomial for `1/x`,
 *
 *     y = (r(mean(S^p) + epsilon) * (S^p V) / tokens) W_o + b_o,
 *
 * the division deferred past the value product, or before it, on the weights, with `division: 'weights'`. Everything constant is folded away: the
 * query kernel carries `1/sqrt(keyDim)` and the slope of the polynomial's variable (as its p-th root), so that the row sums of the powered scores
 * plus a constant *are* that variable; the remaining factor is in the polynomial's coefficients. Rows of zeros, and masked keys, which are zeroed,
 * have score and weight 0. Causal attention multiplies the powered scores by a constant that is 0 after the diagonal and the inverse of the number
 * of visible keys before it, at the cost of one level. Inputs and output as in {@link AttentionForm}.
 */
export class PolynomialAttention extends AttentionForm {
  static readonly className = 'PolynomialAttention';
  readonly p: number;
  readonly epsilon: number;
  readonly division: DivisionPlace;
  private queries: number;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialAttentionArgs) {
    super(args, 'reciprocal', 'key');
    this.p = validatePower(args.p, this.name);
    this.epsilon = args.epsilon;
    this.division = validateOneOf('division', args.division ?? 'outputs', DIVISION_PLACES, this.name);
    this.queries = this.tokens;
  }

  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    this.queries = firstShape(inputShape)[1] ?? this.tokens;
  }

  /** Costs for the shape that the layer was built for. */
  divisionReport(): DivisionReport {
    const { queries, tokens: keys, keyDim, approximation } = this;
    return { place: this.division, costs: divisionCosts({ queries, keys, keyDim, reciprocalDepth: approximation.depth }) };
  }

  get site(): string {
    return `${this.name}/denominator`;
  }

  protected override get queryFactor(): number {
    // A causal mask divides each row by its own number of keys.
    return (unitMap(this.approximation).slope / (this.causal ? 1 : this.tokens)) ** (1 / this.p) / Math.sqrt(this.keyDim);
  }

  protected override attended({ query, key, value }: AttentionHeads): tf.Tensor4D {
    const { slope, offset } = unitMap(this.approximation);
    const scores = integerPower(tf.matMul(query, key, false, true), this.p);
    const powered = this.causal
      ? tf.mul(
          scores,
          causalMask(this.tokens, this.tokens, (count) => 1 / count),
        )
      : scores;
    const u = tf.add(tf.sum(powered, -1, true), tf.scalar(slope * this.epsilon + offset));
    const reciprocal = (): tf.Tensor => this.polynomial(u, 1 / slope);
    return this.division === 'outputs' ? tf.mul(tf.matMul(powered, value), reciprocal()) : tf.matMul(tf.mul(powered, reciprocal()), value);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), p: this.p, epsilon: this.epsilon, division: this.division };
  }
}
tf.serialization.registerClass(PolynomialAttention);

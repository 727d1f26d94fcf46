import * as tf from '@tensorflow/tfjs-core';
import { causalMask } from '../layers/causal_mask.js';
import { AttentionForm, type AttentionFormArgs, type AttentionHeads } from './attention_form.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialSigmaAttentionArgs extends AttentionFormArgs {}

/**
 * Sigma attention (Zimerman et al., ICML 2024) in polynomial form, without a division. With `S` the scores and `g` the polynomial for GELU,
 *
 *     y = (g(S) V / sqrt(keys)) W_o + b_o.
 *
 * The query kernel carries `1/sqrt(keyDim)` and the slope of the polynomial's unit variable, its coefficients carry `1/sqrt(keys)`. Values of
 * masked keys are zeroed. Causal attention multiplies the weights by a constant that is 0 after the diagonal and the inverse square root of the
 * number of visible keys before it, at the cost of one level. Inputs and output as in {@link AttentionForm}.
 */
export class PolynomialSigmaAttention extends AttentionForm {
  static readonly className = 'PolynomialSigmaAttention';

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialSigmaAttentionArgs) {
    super(args, 'gelu', 'value');
  }

  get site(): string {
    return `${this.name}/scores`;
  }

  protected override get queryFactor(): number {
    return unitMap(this.approximation).slope / Math.sqrt(this.keyDim);
  }

  protected override attended({ query, key, value }: AttentionHeads): tf.Tensor4D {
    const u = tf.add(tf.matMul(query, key, false, true), tf.scalar(unitMap(this.approximation).offset));
    if (!this.causal) return tf.matMul<tf.Tensor4D>(this.polynomial(u, 1 / Math.sqrt(this.tokens)), value);
    const scale = causalMask(this.tokens, this.tokens, (count) => 1 / Math.sqrt(count));
    return tf.matMul<tf.Tensor4D>(tf.mul(this.polynomial(u), scale), value);
  }
}
tf.serialization.registerClass(PolynomialSigmaAttention);

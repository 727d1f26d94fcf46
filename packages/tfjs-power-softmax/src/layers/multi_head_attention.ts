import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { type AttentionArgs, type AttentionConfig, attentionConfig } from './attention_config.js';
import { firstShape, lastDimension, sequenceInputs } from './inputs.js';
import { type SelfAttentionWeights, selfAttention } from './self_attention.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

export interface MultiHeadAttentionArgs extends SeededLayerArgs, AttentionArgs {}

/**
 * Multi-head self-attention with PowerSoftmax, softmax or sigma attention, causal or not, with grouped key and value heads and rotary
 * positions if asked for. Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1 `mask [batch, tokens]`; output `[batch, tokens, d]`. Weights
 * `query/kernel [d, numHeads * keyDim]`, `key/kernel` and `value/kernel [d, keyValueHeads * keyDim]` (with `/bias` if `useBias`),
 * `output/kernel`, `output/bias`. Reports `<name>/denominator` (PowerSoftmax) or `<name>/scores` (sigma) to range recordings.
 */
export class MultiHeadAttention extends WeightedLayer {
  // tfjs-layers registers a MultiHeadAttention of its own, which must stay loadable.
  static readonly className = 'PowerMultiHeadAttention';
  readonly config: AttentionConfig;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: MultiHeadAttentionArgs) {
    super(args);
    this.config = attentionConfig(args);
  }

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    this.addAttention('', features, this.config);
    this.built = true;
  }

  /** Current values of the projections. */
  attentionWeights(): SelfAttentionWeights {
    return this.attentionProjections('', this.config);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask } = sequenceInputs(inputs, this.name);
      return selfAttention(x, this.attentionWeights(), { ...this.config, name: this.name }, mask);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config, ...(this.seed === undefined ? {} : { seed: this.seed }) };
  }
}
tf.serialization.registerClass(MultiHeadAttention);

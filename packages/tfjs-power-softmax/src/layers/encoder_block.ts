import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { attend } from './attention.js';
import { type CallArguments, lastDimension, sequenceInputs } from './inputs.js';
import { TransformerBlock, type TransformerBlockArgs } from './transformer_block.js';

export interface EncoderBlockArgs extends TransformerBlockArgs {}

/**
 * Transformer encoder block; with `causal: true` the block of a decoder-only language model. Post-norm, or pre-norm with `normFirst`:
 *
 *     a = LayerNorm(x + attention(x));  y = LayerNorm(a + feedForward(a))
 *     a = x + attention(LayerNorm(x));  y = a + feedForward(LayerNorm(a))
 *
 * Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1 `mask [batch, tokens]` (a Keras mask of `x` does the same); output
 * `[batch, tokens, d]`. Weights those of `MultiHeadAttention` under `attention/`, `attention_norm/gamma|beta`, those of `FeedForward` under
 * `feed_forward/`, and `feed_forward_norm/gamma|beta`. Reports to range recordings `<name>/attention/denominator` (or `/scores`),
 * `<name>/attention_norm/variance`, `<name>/feed_forward/activation` and `<name>/feed_forward_norm/variance`. With `norm: 'rms'` RMSNorm takes the
 * place of LayerNorm: there is no `beta`, and the sites end in `/mean_square`.
 */
export class EncoderBlock extends TransformerBlock {
  static readonly className = 'EncoderBlock';

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    this.addAttention('attention/', this.config, features);
    this.addBlockNorm('attention_norm', features);
    this.addFeedForwardPart(features);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const { training = false } = kwargs;
    return tf.tidy(() => {
      const { x, mask: given } = sequenceInputs(inputs, this.name);
      const mask = this.maskOf(x, given, kwargs);
      const options = { ...this.config, name: `${this.name}/attention` };
      const attended = this.residual(x, 'attention_norm', 0, training, (input) =>
        attend(input, input, this.attentionWeights(), options, mask),
      );
      return this.finish(attended, 1, training);
    });
  }
}
tf.serialization.registerClass(EncoderBlock);

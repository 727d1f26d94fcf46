import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { type AttentionWeights, attend } from './attention.js';
import { attentionInputs, type CallArguments, lastDimension, memoryShape } from './inputs.js';
import { TransformerBlock, type TransformerBlockArgs } from './transformer_block.js';

/** Self-attention is always causal. */
export interface DecoderBlockArgs extends Omit<TransformerBlockArgs, 'causal'> {}

/**
 * Transformer decoder block, which reads a memory, the output of an encoder. Post-norm, or pre-norm with `normFirst`, where the memory is read as
 * it is:
 *
 *     a = LayerNorm(x + causal attention(x));  b = LayerNorm(a + attention(a, memory));  y = LayerNorm(b + feedForward(b))
 *     a = x + causal attention(LayerNorm(x));  b = a + attention(LayerNorm(a), memory);  y = b + feedForward(LayerNorm(b))
 *
 * Inputs `[x, memory]`, or `[x, memory, mask]`: `x [batch, tokens, d]`, `memory [batch, keys, e]` and a 0/1 `mask [batch, keys]` of the memory;
 * output `[batch, tokens, d]`. For a decoder without memory use `EncoderBlock` with `causal: true`. A Keras mask of `x` masks its self-attention.
 * Weights and sites as in `EncoderBlock`, and
 * those of the second attention under `cross_attention/` and `cross_attention_norm/`. Rotary positions turn the self-attention only.
 */
export class DecoderBlock extends TransformerBlock {
  static readonly className = 'DecoderBlock';

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: DecoderBlockArgs) {
    super({ ...args, causal: true });
  }

  /** @throws InvalidArgumentError without a memory */
  override build(inputShape: Shape | Shape[]): void {
    const memory = memoryShape(inputShape);
    if (memory === undefined) throw this.withoutMemory();
    const features = lastDimension(inputShape, this.name);
    this.addAttention('attention/', this.config, features);
    this.addBlockNorm('attention_norm', features);
    this.addAttention('cross_attention/', this.config, features, lastDimension(memory, this.name));
    this.addBlockNorm('cross_attention_norm', features);
    this.addFeedForwardPart(features);
    this.built = true;
  }

  /** Current values of the projections of the attention to the memory. */
  crossAttentionWeights(): AttentionWeights {
    return this.attentionProjections('cross_attention/', this.config);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    const { training = false } = kwargs;
    return tf.tidy(() => {
      const { x, memory, mask } = attentionInputs(inputs, this.name);
      if (memory === undefined) throw this.withoutMemory();
      const ownMask = this.maskOf(x, undefined, kwargs);
      const options = { ...this.config, name: `${this.name}/attention` };
      const crossOptions = { ...this.config, causal: false, rotary: false, name: `${this.name}/cross_attention` };
      const own = this.residual(x, 'attention_norm', 0, training, (input) =>
        attend(input, input, this.attentionWeights(), options, ownMask),
      );
      const read = this.residual(own, 'cross_attention_norm', 1, training, (input) =>
        attend(input, memory, this.crossAttentionWeights(), crossOptions, mask),
      );
      return this.finish(read, 2, training);
    });
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    this.refuseMemoryMask(inputs, mask);
    return super.computeMask(inputs, mask);
  }

  private withoutMemory(): InvalidArgumentError {
    return new InvalidArgumentError(
      `${this.name} takes [x, memory] or [x, memory, mask]. Without a memory use EncoderBlock with causal: true.`,
      { layer: this.name },
    );
  }
}
tf.serialization.registerClass(DecoderBlock);

import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { type AttentionWeights, attend } from './attention.js';
import { type AttentionArgs, type AttentionConfig, attentionConfig } from './attention_config.js';
import { attentionInputs, type CallArguments, firstShape, lastDimension, memoryShape } from './inputs.js';
import { type SeededLayerArgs, WeightedLayer } from './weighted_layer.js';

export interface MultiHeadAttentionArgs extends SeededLayerArgs, AttentionArgs {}

/**
 * Multi-head attention with PowerSoftmax, softmax or sigma attention, causal or not, with grouped key and value heads and rotary positions if
 * asked for. Inputs `x [batch, tokens, d]` or `[x, mask]` with a 0/1 `mask [batch, tokens]` for self-attention; `[x, memory]` or
 * `[x, memory, mask]` for cross-attention, where keys and values come from `memory [batch, keys, e]` and the mask is `[batch, keys]`. Output
 * `[batch, tokens, d]`. Weights `query/kernel [d, numHeads * keyDim]`, `key/kernel` and `value/kernel [d or e, keyValueHeads * keyDim]` (with
 * `/bias` if `useBias`), `output/kernel`, `output/bias`. Reports `<name>/denominator` (PowerSoftmax) or `<name>/scores` (sigma) to range
 * recordings.
 */
export class MultiHeadAttention extends WeightedLayer {
  // tfjs-layers registers a MultiHeadAttention of its own, which must stay loadable.
  static readonly className = 'PowerMultiHeadAttention';
  readonly config: AttentionConfig;
  /** Whether the layer was built for inputs with a memory. */
  crossAttends = false;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: MultiHeadAttentionArgs) {
    super(args);
    this.config = attentionConfig(args, this.name);
  }

  /** @throws InvalidArgumentError for causal or rotary attention to a memory, whose positions are another sequence's */
  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    const memory = memoryShape(inputShape);
    const { causal, rotary } = this.config;
    if (memory !== undefined && (causal || rotary)) {
      throw new InvalidArgumentError(`${this.name} attends to a memory, where causal and rotary have no meaning. Set both to false.`, {
        layer: this.name,
        causal,
        rotary,
      });
    }
    this.crossAttends = memory !== undefined;
    this.addAttention('', this.config, features, memory === undefined ? features : lastDimension(memory, this.name));
    this.built = true;
  }

  /** Current values of the projections. */
  attentionWeights(): AttentionWeights {
    return this.attentionProjections('', this.config);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, memory, mask: given } = attentionInputs(inputs, this.name);
      // A Keras mask is that of x, which cross-attention takes queries from only.
      const mask = memory === undefined ? this.maskOf(x, given, kwargs) : given;
      return attend(x, memory ?? x, this.attentionWeights(), { ...this.config, name: this.name }, mask);
    });
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    this.refuseMemoryMask(inputs, mask);
    return super.computeMask(inputs, mask);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config, ...(this.seed === undefined ? {} : { seed: this.seed }) };
  }
}
tf.serialization.registerClass(MultiHeadAttention);

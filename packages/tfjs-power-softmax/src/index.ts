/**
 * PowerSoftmax attention for TensorFlow.js (arXiv 2410.09457): train a transformer whose attention is rational, keep its ranges narrow, and
 * turn it into a polynomial that a homomorphic-encryption backend can run.
 *
 * Importing this module registers its layers with `tf.serialization`, so saved models load without custom objects.
 */
export * from './errors.js';
export type { AttentionArgs } from './layers/attention_config.js';
export { EncoderBlock, type EncoderBlockArgs } from './layers/encoder_block.js';
export { LayerNorm, type LayerNormArgs } from './layers/layer_norm.js';
export { MultiHeadAttention, type MultiHeadAttentionArgs } from './layers/multi_head_attention.js';
export { PowerSoftmax, type PowerSoftmaxArgs } from './layers/power_softmax.js';
export type { AttentionKind } from './layers/self_attention.js';
export { gelu } from './ops/gelu.js';
export { layerNorm } from './ops/layer_norm.js';
export { type PowerSoftmaxForm, type PowerSoftmaxOptions, powerSoftmax } from './ops/power_softmax.js';
export { type RangeLossOptions, type RangeTarget, rangeLoss } from './ranges/range_loss.js';
export { type ApproximatedFunction, collectRanges, isRecordingRanges, type RangeSite, reportRange } from './ranges/recorder.js';

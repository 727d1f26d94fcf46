import type * as tf from '@tensorflow/tfjs-core';
import type { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UnsupportedLayerError } from '../errors.js';
import type { AttentionConfig } from '../layers/attention_config.js';
import { AttentionPooling } from '../layers/attention_pooling.js';
import { ClassificationHead } from '../layers/classification_head.js';
import { DecoderBlock } from '../layers/decoder_block.js';
import { EncoderBlock } from '../layers/encoder_block.js';
import { FeedForward } from '../layers/feed_forward.js';
import { LanguageModelHead } from '../layers/language_model_head.js';
import { LayerNorm } from '../layers/layer_norm.js';
import { LearnedPositions } from '../layers/learned_positions.js';
import { MaskedMeanPooling } from '../layers/masked_mean_pooling.js';
import { MultiHeadAttention } from '../layers/multi_head_attention.js';
import { PowerSoftmax } from '../layers/power_softmax.js';
import { RMSNorm } from '../layers/rms_norm.js';
import { TokenPooling } from '../layers/token_pooling.js';
import { TransformerBlock } from '../layers/transformer_block.js';
import { convertDecoder, convertEncoder } from './convert_block.js';
import { convertHead } from './convert_head.js';
import {
  applied,
  applyAttention,
  applyAttentionPooling,
  applyFeedForward,
  applyNorm,
  applyPowerSoftmax,
  type Choices,
} from './convert_parts.js';
import { PolynomialLayer } from './polynomial_layer.js';

/** Layers that are linear (or drop out at inference), or products, and are copied as they are. */
const COPIED_LAYERS = new Set([
  'Dense',
  'Conv1D',
  'Conv2D',
  'BatchNormalization',
  'Activation',
  'Rescaling',
  'Multiply',
  'Dot',
  'GlobalAveragePooling1D',
  'GlobalAveragePooling2D',
  'AveragePooling1D',
  'AveragePooling2D',
  'Add',
  'Average',
  'Concatenate',
  'Reshape',
  'Flatten',
  'Permute',
  'RepeatVector',
  'ZeroPadding2D',
  'Dropout',
  'SpatialDropout1D',
  'GaussianDropout',
  'GaussianNoise',
  LearnedPositions.className,
  MaskedMeanPooling.className,
  TokenPooling.className,
]);

const CONVERTED_LAYERS =
  'EncoderBlock, DecoderBlock, MultiHeadAttention, AttentionPooling, FeedForward, LayerNorm, RMSNorm, ClassificationHead, LanguageModelHead, PowerSoftmax';
const LOGITS_ADVICE = 'End the model in logits: the client takes the softmax after decryption.';
/** What the client does in the clear, before it encrypts. */
const CLIENT_LAYERS: Readonly<Record<string, string>> = {
  Embedding: 'Embed at the client, and convert the model that takes the embedded tokens.',
  Masking: 'Give the mask as an input, [x, mask], which is public.',
};

const ALWAYS_CONVERTIBLE = [LayerNorm, RMSNorm, FeedForward, LanguageModelHead, PowerSoftmax];

/** @throws UnsupportedLayerError for a layer that is neither linear nor has a polynomial form; costs nothing, so that it can come first */
export function assertConvertible(layer: layers.Layer): void {
  if (ALWAYS_CONVERTIBLE.some((kind) => layer instanceof kind)) return;
  if (layer instanceof MaskedMeanPooling || layer instanceof ClassificationHead) {
    assertPublicCount(layer);
    if (layer instanceof ClassificationHead) return;
  }
  if (layer instanceof TransformerBlock || layer instanceof MultiHeadAttention) {
    assertConvertibleAttention(layer.name, layer.config);
    return;
  }
  if (layer instanceof AttentionPooling) {
    assertConvertibleAttention(layer.name, layer);
    return;
  }
  if (layer instanceof PolynomialLayer) {
    throw new UnsupportedLayerError(`Layer ${layer.name} is a polynomial already. Convert the trained model that this one was made of.`, {
      layer: layer.name,
    });
  }
  const kind = layer.getClassName();
  const activation = layer.getConfig().activation ?? 'linear';
  if (COPIED_LAYERS.has(kind) && activation === 'linear' && !layer.getConfig().normalize) return;
  const advice =
    CLIENT_LAYERS[kind] ??
    (activation === 'softmax'
      ? LOGITS_ADVICE
      : `Use ${CONVERTED_LAYERS}, or layers that are linear or products: ${[...COPIED_LAYERS].join(', ')}.`);
  throw new UnsupportedLayerError(`Layer ${layer.name} (${kind}, activation ${String(activation)}) is no polynomial. ${advice}`, {
    layer: layer.name,
    kind,
  });
}

function assertPublicCount(layer: MaskedMeanPooling | ClassificationHead): void {
  const averages = layer instanceof MaskedMeanPooling || layer.pooling === 'mean';
  if (!averages || layer.masked || layer.count !== 'visible') return;
  throw new UnsupportedLayerError(
    `${layer.name} counts the rows that are not zero, which is no polynomial. Give the mask as second input, [x, mask], or set count: 'tokens'.`,
    { layer: layer.name },
  );
}

function assertConvertibleAttention(layer: string, { attention }: Pick<AttentionConfig, 'attention'>): void {
  if (attention !== 'softmax') return;
  throw new UnsupportedLayerError(
    `${layer} uses softmax attention, which has no polynomial here. Train it with attention: 'power' or 'sigma', or see replaceSoftmax.`,
    { layer, attention },
  );
}

/** Applies the polynomial form of a layer that {@link assertConvertible} accepts to symbolic inputs. */
export function convertLayer(layer: layers.Layer, inputs: SymbolicTensor[], choices: Choices): SymbolicTensor {
  if (layer instanceof EncoderBlock) return convertEncoder(layer, inputs, choices);
  if (layer instanceof DecoderBlock) return convertDecoder(layer, inputs, choices);
  if (layer instanceof MultiHeadAttention) return applyAttention(layer.name, layer.config, layer.attentionWeights(), inputs, choices);
  if (layer instanceof AttentionPooling) return applyAttentionPooling(layer, inputs, choices);
  if (layer instanceof LayerNorm)
    return applyNorm(layer.name, layer.epsilon, [layer.weight('gamma'), layer.weight('beta')], inputs, choices);
  if (layer instanceof RMSNorm) return applyNorm(layer.name, layer.epsilon, [layer.weight('gamma')], inputs, choices);
  if (layer instanceof FeedForward) return applyFeedForward(layer.name, layer, inputs, choices);
  if (layer instanceof ClassificationHead || layer instanceof LanguageModelHead) return convertHead(layer, inputs, choices);
  if (layer instanceof PowerSoftmax) return applyPowerSoftmax(layer, inputs, choices);
  return copy(layer, inputs);
}

function copy(layer: layers.Layer, inputs: SymbolicTensor[]): SymbolicTensor {
  // Every serialisable layer's constructor has the static members of its class.
  const layerClass = layer.constructor as tf.serialization.SerializableConstructor<layers.Layer>;
  const made = layerClass.fromConfig(layerClass, layer.getConfig());
  const output = applied(made, inputs);
  made.setWeights(layer.getWeights());
  return output;
}

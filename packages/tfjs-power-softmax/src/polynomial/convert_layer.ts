import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError, UnsupportedLayerError } from '../errors.js';
import type { AttentionWeights, Projection } from '../layers/attention.js';
import type { AttentionConfig } from '../layers/attention_config.js';
import { EncoderBlock } from '../layers/encoder_block.js';
import { FeedForward } from '../layers/feed_forward.js';
import { LayerNorm } from '../layers/layer_norm.js';
import { LearnedPositions } from '../layers/learned_positions.js';
import { MultiHeadAttention } from '../layers/multi_head_attention.js';
import type { NormWeights } from '../layers/norms.js';
import { RMSNorm } from '../layers/rms_norm.js';
import type { TransformerBlock } from '../layers/transformer_block.js';
import { PolynomialAttention } from './polynomial_attention.js';
import { PolynomialFeedForward } from './polynomial_feed_forward.js';
import { PolynomialNorm } from './polynomial_norm.js';
import type { SiteApproximation } from './site_approximation.js';

/** The polynomial chosen for a site. @throws InvalidArgumentError for a site that calibration did not see */
export type SiteLookup = (name: string) => SiteApproximation;

/** Layers of tfjs that are linear (or drop out at inference) and are copied as they are. */
const LINEAR_LAYERS = new Set([
  'Dense',
  'GlobalAveragePooling1D',
  'AveragePooling1D',
  'Add',
  'Average',
  'Concatenate',
  'Reshape',
  'Flatten',
  'Permute',
  'RepeatVector',
  'ZeroPadding2D',
  'Dropout',
  LearnedPositions.className,
]);

/** @throws UnsupportedLayerError for a layer that is neither linear nor has a polynomial form; costs nothing, so that it can come first */
export function assertConvertible(layer: layers.Layer): void {
  if (layer instanceof LayerNorm || layer instanceof RMSNorm || layer instanceof FeedForward) return;
  if (layer instanceof EncoderBlock || layer instanceof MultiHeadAttention) {
    assertConvertibleAttention(layer.name, layer.config);
    if (!(layer instanceof MultiHeadAttention && layer.crossAttends)) return;
    throw new UnsupportedLayerError(`${layer.name} attends to a memory, which toPolynomial does not convert yet. Use self-attention.`, {
      layer: layer.name,
    });
  }
  const kind = layer.getClassName();
  const activation = layer.getConfig().activation ?? 'linear';
  if (LINEAR_LAYERS.has(kind) && activation === 'linear') return;
  throw new UnsupportedLayerError(
    activation === 'softmax'
      ? `Layer ${layer.name} ends in softmax, which is no polynomial. End the model in logits: the client takes the softmax after decryption.`
      : `Layer ${layer.name} (${kind}, activation ${String(activation)}) is no polynomial. Use EncoderBlock, MultiHeadAttention, FeedForward, LayerNorm, RMSNorm, or linear layers: ${[...LINEAR_LAYERS].join(', ')}.`,
    { layer: layer.name, kind },
  );
}

function assertConvertibleAttention(layer: string, { attention }: AttentionConfig): void {
  if (attention !== 'power') {
    throw new UnsupportedLayerError(
      `${layer} uses ${attention} attention, which has no polynomial here. Train it with attention: 'power'.`,
      {
        layer,
        attention,
      },
    );
  }
}

/** Applies the polynomial form of a layer that {@link assertConvertible} accepts to symbolic inputs. */
export function convertLayer(layer: layers.Layer, inputs: SymbolicTensor[], lookup: SiteLookup): SymbolicTensor {
  if (layer instanceof EncoderBlock) return convertBlock(layer, inputs, lookup);
  if (layer instanceof MultiHeadAttention) return applyAttention(layer.name, layer.config, layer.attentionWeights(), inputs, lookup);
  if (layer instanceof LayerNorm)
    return applyNorm(layer.name, layer.epsilon, [layer.weight('gamma'), layer.weight('beta')], inputs, lookup);
  if (layer instanceof RMSNorm) return applyNorm(layer.name, layer.epsilon, [layer.weight('gamma')], inputs, lookup);
  if (layer instanceof FeedForward) return applyFeedForward(layer.name, layer, inputs, lookup);
  return copyLinear(layer, inputs);
}

function convertBlock(block: EncoderBlock, inputs: SymbolicTensor[], lookup: SiteLookup): SymbolicTensor {
  const { name } = block;
  const [x, ...mask] = inputs;
  if (x === undefined) throw new InvalidArgumentError(`${name} has no input.`, { layer: name });
  const attended = convertResidual(block, 'attention', x, lookup, (input, part) =>
    applyAttention(part, block.config, block.attentionWeights(), [input, ...mask], lookup),
  );
  return convertResidual(block, 'feed_forward', attended, lookup, (input, part) => applyFeedForward(part, block, [input], lookup));
}

/** A sub-layer with its residual connection: `norm(x + f(x))`, or `x + f(norm(x))` with `normFirst`. */
function convertResidual(
  block: TransformerBlock,
  part: 'attention' | 'feed_forward',
  x: SymbolicTensor,
  lookup: SiteLookup,
  f: (x: SymbolicTensor, name: string) => SymbolicTensor,
): SymbolicTensor {
  const path = `${block.name}/${part}`;
  const normalised = (of: SymbolicTensor[]): SymbolicTensor =>
    applyNorm(`${path}_norm`, block.normEpsilon, block.normWeights(`${part}_norm`), of, lookup);
  if (!block.normFirst) return normalised([x, f(x, path)]);
  return applied(layers.add({ name: `${path}_residual` }), [x, f(normalised([x]), path)]);
}

/** A quadratic network is a polynomial already. */
function applyFeedForward(
  name: string,
  of: Pick<FeedForward, 'hiddenDim' | 'activation' | 'feedForwardWeights'>,
  inputs: SymbolicTensor[],
  lookup: SiteLookup,
): SymbolicTensor {
  const { hiddenDim, activation } = of;
  const weights = of.feedForwardWeights();
  if (activation === 'quadratic') {
    const layer = new FeedForward({ name, hiddenDim, activation });
    const output = applied(layer, inputs);
    layer.setWeights([weights.hidden, weights.output].flatMap(({ kernel, bias }) => (bias === undefined ? [kernel] : [kernel, bias])));
    return output;
  }
  const layer = new PolynomialFeedForward({ name, hiddenDim, activation, approximation: lookup(`${name}/activation`) });
  const output = applied(layer, inputs);
  layer.setFoldedWeights(weights);
  return output;
}

function applyAttention(
  name: string,
  { numHeads, keyValueHeads, keyDim, p, epsilon, useBias, causal, rotary }: AttentionConfig,
  weights: AttentionWeights,
  inputs: SymbolicTensor[],
  lookup: SiteLookup,
): SymbolicTensor {
  const tokens = inputs[0]?.shape[1];
  if (tokens === undefined || tokens === null) {
    throw new UnsupportedLayerError(`${name} has no fixed number of tokens. Give the model's input a shape [tokens, d].`, { layer: name });
  }
  const layer = new PolynomialAttention({
    name,
    numHeads,
    keyDim,
    p,
    epsilon,
    useBias,
    tokens,
    causal,
    rotary,
    approximation: lookup(`${name}/denominator`),
  });
  const output = applied(layer, inputs);
  const shared = numHeads / keyValueHeads;
  tf.tidy(() => {
    const [key, value] = [repeatHeads(weights.key, keyDim, shared), repeatHeads(weights.value, keyDim, shared)];
    layer.setFoldedWeights({ ...weights, key, value });
  });
  return output;
}

/** Repeats the columns of each head, `keyDim` wide, `times` times, so that every query head has a head of its own. */
function repeatHeads({ kernel, bias }: Projection, keyDim: number, times: number): Projection {
  if (times === 1) return bias === undefined ? { kernel } : { kernel, bias };
  const [features, units] = kernel.shape;
  const repeated = (of: tf.Tensor, rows: number): tf.Tensor => tf.tile(tf.reshape(of, [rows, units / keyDim, 1, keyDim]), [1, 1, times, 1]);
  const wide = { kernel: tf.reshape<tf.Rank.R2>(repeated(kernel, features), [features, units * times]) };
  return bias === undefined ? wide : { ...wide, bias: tf.reshape<tf.Rank.R1>(repeated(bias, 1), [units * times]) };
}

/** Takes `gamma` and `beta` for a LayerNorm, `gamma` alone for an RMSNorm. */
function applyNorm(
  name: string,
  epsilon: number,
  [gamma, beta]: NormWeights,
  inputs: SymbolicTensor[],
  lookup: SiteLookup,
): SymbolicTensor {
  const centred = beta !== undefined;
  const layer = new PolynomialNorm({ name, epsilon, centred, approximation: lookup(`${name}/${centred ? 'variance' : 'mean_square'}`) });
  const output = applied(layer, inputs);
  layer.setFoldedWeights(gamma, ...(centred ? [beta] : []));
  return output;
}

function copyLinear(layer: layers.Layer, inputs: SymbolicTensor[]): SymbolicTensor {
  // Every serialisable layer's constructor has the static members of its class.
  const layerClass = layer.constructor as tf.serialization.SerializableConstructor<layers.Layer>;
  const copy = layerClass.fromConfig(layerClass, layer.getConfig());
  const output = applied(copy, inputs);
  copy.setWeights(layer.getWeights());
  return output;
}

/** Applies a layer to symbolic tensors, which gives one symbolic tensor for all layers handled here. */
function applied(layer: layers.Layer, inputs: SymbolicTensor[]): SymbolicTensor {
  const [only] = inputs;
  return layer.apply(inputs.length === 1 && only !== undefined ? only : inputs) as SymbolicTensor;
}

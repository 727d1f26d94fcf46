import * as tf from '@tensorflow/tfjs-core';
import type { layers, Shape, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UnsupportedLayerError } from '../errors.js';
import type { AttentionWeights, Projection } from '../layers/attention.js';
import type { AttentionConfig } from '../layers/attention_config.js';
import type { AttentionPooling } from '../layers/attention_pooling.js';
import { FeedForward } from '../layers/feed_forward.js';
import { memoryShape } from '../layers/inputs.js';
import type { NormWeights } from '../layers/norms.js';
import type { PowerSoftmax } from '../layers/power_softmax.js';
import { cheapestDivision, type DivisionPlace } from './division.js';
import { PolynomialAttention } from './polynomial_attention.js';
import { PolynomialAttentionPooling } from './polynomial_attention_pooling.js';
import { PolynomialFeedForward } from './polynomial_feed_forward.js';
import { PolynomialNorm } from './polynomial_norm.js';
import { PolynomialPowerSoftmax } from './polynomial_power_softmax.js';
import { PolynomialSigmaAttention } from './polynomial_sigma_attention.js';
import type { SiteApproximation } from './site_approximation.js';

/** What conversion chose. */
export interface Choices {
  /** The polynomial of a site. @throws InvalidArgumentError for a site that calibration did not see */
  readonly polynomial: (site: string) => SiteApproximation;
  /** Where PowerSoftmax attention divides: `auto` takes the cheaper place. */
  readonly division: DivisionPlace | 'auto';
}

/** A layer of PowerSoftmax in a graph of its own. @throws UnsupportedLayerError where the length of its axis is not fixed */
export function applyPowerSoftmax(
  { name, p, epsilon, axis, counts }: PowerSoftmax,
  inputs: SymbolicTensor[],
  choices: Choices,
): SymbolicTensor {
  const length = inputs[0]?.shape.at(axis);
  if (length === undefined || length === null) {
    throw new UnsupportedLayerError(`The axis of ${name} has no fixed length. Give the model's input one.`, { layer: name });
  }
  const approximation = choices.polynomial(`${name}/denominator`);
  return applied(new PolynomialPowerSoftmax({ name, p, epsilon, axis, length, counts, approximation }), inputs);
}

/** A quadratic network is a polynomial already. */
export function applyFeedForward(
  name: string,
  of: Pick<FeedForward, 'hiddenDim' | 'activation' | 'feedForwardWeights'>,
  inputs: SymbolicTensor[],
  choices: Choices,
): SymbolicTensor {
  const { hiddenDim, activation } = of;
  const weights = of.feedForwardWeights();
  if (activation === 'quadratic') {
    const layer = new FeedForward({ name, hiddenDim, activation });
    const output = applied(layer, inputs);
    layer.setWeights([weights.hidden, weights.output].flatMap(({ kernel, bias }) => (bias === undefined ? [kernel] : [kernel, bias])));
    return output;
  }
  const layer = new PolynomialFeedForward({ name, hiddenDim, activation, approximation: choices.polynomial(`${name}/activation`) });
  const output = applied(layer, inputs);
  layer.setFoldedWeights(weights);
  return output;
}

/**
 * Attention of `[x]`, `[x, mask]`, `[x, memory]` or `[x, memory, mask]`.
 *
 * @throws UnsupportedLayerError where the number of keys is not fixed
 */
export function applyAttention(
  name: string,
  { attention, numHeads, keyValueHeads, keyDim, p, epsilon, useBias, causal, rotary, rotaryDim, rotaryBase }: AttentionConfig,
  weights: AttentionWeights,
  inputs: SymbolicTensor[],
  choices: Choices,
): SymbolicTensor {
  const tokens = fixedTokens(memoryShape(inputs.map(({ shape }) => shape)) ?? inputs[0]?.shape, name);
  const settings = { name, numHeads, keyDim, useBias, tokens, causal, rotary, rotaryDim, rotaryBase };
  const power = (approximation: SiteApproximation): PolynomialAttention => {
    const shape = { queries: inputs[0]?.shape[1] ?? tokens, keys: tokens, keyDim, reciprocalDepth: approximation.depth };
    const division = choices.division === 'auto' ? cheapestDivision(shape) : choices.division;
    return new PolynomialAttention({ ...settings, p, epsilon, division, approximation });
  };
  const layer =
    attention === 'sigma'
      ? new PolynomialSigmaAttention({ ...settings, approximation: choices.polynomial(`${name}/scores`) })
      : power(choices.polynomial(`${name}/denominator`));
  const output = applied(layer, inputs);
  const shared = numHeads / keyValueHeads;
  tf.tidy(() => {
    const [key, value] = [repeatHeads(weights.key, keyDim, shared), repeatHeads(weights.value, keyDim, shared)];
    layer.setFoldedWeights({ ...weights, key, value });
  });
  return output;
}

/** Attention of learned queries to `[x]` or `[x, mask]`. @throws UnsupportedLayerError where the number of tokens is not fixed */
export function applyAttentionPooling(pooling: AttentionPooling, inputs: SymbolicTensor[], choices: Choices): SymbolicTensor {
  const { name, p, epsilon, numHeads, valueDim } = pooling;
  const tokens = fixedTokens(inputs[0]?.shape, name);
  const approximation = choices.polynomial(`${name}/denominator`);
  const layer = new PolynomialAttentionPooling({ name, units: numHeads * valueDim, p, epsilon, tokens, approximation });
  const output = applied(layer, inputs);
  const { query, value } = pooling.projections();
  layer.setFoldedWeights(query, value);
  return output;
}

function fixedTokens(shape: Shape | undefined, layer: string): number {
  const tokens = shape?.[1];
  if (tokens !== undefined && tokens !== null) return tokens;
  throw new UnsupportedLayerError(`${layer} has no fixed number of tokens. Give the model's input a shape [tokens, d].`, { layer });
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
export function applyNorm(
  name: string,
  epsilon: number,
  [gamma, beta]: NormWeights,
  inputs: SymbolicTensor[],
  choices: Choices,
): SymbolicTensor {
  const centred = beta !== undefined;
  const layer = new PolynomialNorm({
    name,
    epsilon,
    centred,
    approximation: choices.polynomial(`${name}/${centred ? 'variance' : 'mean_square'}`),
  });
  const output = applied(layer, inputs);
  layer.setFoldedWeights(gamma, ...(centred ? [beta] : []));
  return output;
}

/** Applies a layer to symbolic tensors, which gives one symbolic tensor for all layers handled here. */
export function applied(layer: layers.Layer, inputs: SymbolicTensor[]): SymbolicTensor {
  const [only] = inputs;
  return layer.apply(inputs.length === 1 && only !== undefined ? only : inputs) as SymbolicTensor;
}

import * as tfl from '@tensorflow/tfjs-layers';
import { FeedForward, LanguageModelHead, LayerNorm, MultiHeadAttention } from 'tfjs-power-softmax';
import { setNamedWeights, transposed } from '../layer_weights.js';
import { symbolOf } from '../train/parameter.js';
import type { NeoxArchitecture } from './architecture.js';
import type { ConvertedCheckpoint } from './converted.js';
import type { ModelForm } from './form.js';
import type { CheckpointWeights } from './weights.js';

export interface NeoxOptions {
  readonly architecture: NeoxArchitecture;
  readonly weights: CheckpointWeights;
  /** Tokens of an input, at most `architecture.maxTokens`. */
  readonly tokens: number;
  readonly form: ModelForm;
}

const BASE = 'gpt_neox.';

/**
 * GPT-NeoX (Black et al. 2022, arXiv 2204.06745; Pythia): causal blocks with rotary positions on a part of each head, attention and feed-forward
 * network side by side, then the logits of each token's successor.
 *
 * @throws AssetError naming a tensor that is missing or of another shape
 */
export function convertNeox({ architecture, weights, tokens, form }: NeoxOptions): ConvertedCheckpoint {
  const { features, layers, vocabulary, tied } = architecture;
  const normEpsilon = form.attention === 'softmax' ? architecture.normEpsilon : form.normEpsilon;
  const input = tfl.input({ shape: [tokens, features], name: 'embedded' });
  let x = input;
  for (let index = 0; index < layers; index += 1) x = applyBlock(x, architecture, weights, form, index);
  const head = new LanguageModelHead({ name: 'next', units: vocabulary, norm: 'layer', normEpsilon });
  x = symbolOf(head.apply(x));
  const embedding = weights.take(`${BASE}embed_in.weight`, [vocabulary, features]);
  const output = tied ? embedding : weights.take('embed_out.weight', [vocabulary, features]);
  setNamedWeights(head, {
    ...normOf(weights, `${BASE}final_layer_norm`, features, 'norm/'),
    'logits/kernel': transposed(output, vocabulary, features),
  });
  return {
    model: tfl.model({ name: 'gpt_neox', inputs: input, outputs: x }),
    embedding: [embedding],
    changes:
      form.attention === 'softmax'
        ? []
        : [`${form.normEpsilon} in place of ${architecture.normEpsilon} is added to variances, so that 1/sqrt has an interval`],
  };
}

function applyBlock(
  x: tfl.SymbolicTensor,
  architecture: NeoxArchitecture,
  weights: CheckpointWeights,
  form: ModelForm,
  index: number,
): tfl.SymbolicTensor {
  const { features, heads, hidden, rotaryDim, rotaryBase, parallelResidual } = architecture;
  const epsilon = form.attention === 'softmax' ? architecture.normEpsilon : form.normEpsilon;
  const name = `block_${index}`;
  const source = `${BASE}layers.${index}.`;
  const attentionNorm = new LayerNorm({ name: `${name}_attention_norm`, epsilon });
  const attention = new MultiHeadAttention({
    name: `${name}_attention`,
    numHeads: heads,
    keyDim: features / heads,
    useBias: true,
    causal: true,
    rotary: true,
    rotaryDim,
    rotaryBase,
    seed: index,
    attention: form.attention,
    ...(form.attention === 'softmax' ? {} : { p: form.p, epsilon: form.epsilon }),
  });
  const feedForwardNorm = new LayerNorm({ name: `${name}_feed_forward_norm`, epsilon });
  const feedForward = new FeedForward({ name: `${name}_feed_forward`, hiddenDim: hidden, activation: 'gelu', seed: index });
  const attended = symbolOf(attention.apply(attentionNorm.apply(x)));
  const transformed = (of: tfl.SymbolicTensor) => symbolOf(feedForward.apply(feedForwardNorm.apply(of)));
  const sum = (terms: tfl.SymbolicTensor[], as: string) => symbolOf(tfl.layers.add({ name: as }).apply(terms));
  const between = parallelResidual ? x : sum([x, attended], `${name}_attended`);
  const output = sum(parallelResidual ? [x, attended, transformed(x)] : [between, transformed(between)], `${name}_sum`);
  setNamedWeights(attentionNorm, normOf(weights, `${source}input_layernorm`, features, ''));
  setNamedWeights(attention, attentionWeights(weights, `${source}attention.`, architecture));
  setNamedWeights(feedForwardNorm, normOf(weights, `${source}post_attention_layernorm`, features, ''));
  setNamedWeights(feedForward, {
    ...denseOf(weights, `${source}mlp.dense_h_to_4h`, features, hidden, 'hidden/'),
    ...denseOf(weights, `${source}mlp.dense_4h_to_h`, hidden, features, 'output/'),
  });
  return output;
}

/** The fused projection has, head by head, the rows of its query, key and value. */
function attentionWeights(weights: CheckpointWeights, source: string, { features, heads, attentionBias }: NeoxArchitecture) {
  const size = features / heads;
  const fused = weights.take(`${source}query_key_value.weight`, [3 * features, features]);
  const bias = attentionBias ? weights.take(`${source}query_key_value.bias`, [3 * features]) : new Float32Array(3 * features);
  const split = (part: number, columns: number, of: Float32Array): Float32Array => {
    const rows = new Float32Array(features * columns);
    for (let head = 0; head < heads; head += 1) {
      const from = (3 * head + part) * size * columns;
      rows.set(of.subarray(from, from + size * columns), head * size * columns);
    }
    return rows;
  };
  const projections = ['query', 'key', 'value'].flatMap((name, part) => [
    [`${name}/kernel`, transposed(split(part, features, fused), features, features)] as const,
    [`${name}/bias`, split(part, 1, bias)] as const,
  ]);
  const output = `${source}dense`;
  return {
    ...Object.fromEntries(projections),
    'output/kernel': transposed(weights.take(`${output}.weight`, [features, features]), features, features),
    'output/bias': attentionBias ? weights.take(`${output}.bias`, [features]) : new Float32Array(features),
  };
}

function denseOf(weights: CheckpointWeights, name: string, inputs: number, outputs: number, as: string) {
  return {
    [`${as}kernel`]: transposed(weights.take(`${name}.weight`, [outputs, inputs]), outputs, inputs),
    [`${as}bias`]: weights.take(`${name}.bias`, [outputs]),
  };
}

function normOf(weights: CheckpointWeights, name: string, features: number, as: string) {
  return { [`${as}gamma`]: weights.take(`${name}.weight`, [features]), [`${as}beta`]: weights.take(`${name}.bias`, [features]) };
}

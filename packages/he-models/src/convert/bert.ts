import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, TokenPooling } from 'tfjs-power-softmax';
import { setNamedWeights, transposed } from '../layer_weights.js';
import type { EmbeddingWeights } from '../text/token_embedding.js';
import { symbolOf } from '../train/parameter.js';
import type { BertArchitecture } from './architecture.js';
import type { ConvertedCheckpoint } from './converted.js';
import type { ModelForm } from './form.js';
import { type VisibleTokens, visibleTokens, withoutShift } from './visible_tokens.js';
import type { CheckpointWeights } from './weights.js';

export interface BertOptions {
  readonly architecture: BertArchitecture;
  readonly weights: CheckpointWeights;
  /** Tokens of an input, at most `architecture.maxTokens`. */
  readonly tokens: number;
  readonly form: ModelForm;
  /** Classes of a new classifier with random weights, in place of the checkpoint's. */
  readonly newLabels?: readonly string[] | undefined;
}

/** Seed of a new classifier's weights. */
const SEED = 1;

/**
 * BERT (Devlin et al. 2019, arXiv 1810.04805) and RoBERTa (Liu et al. 2019, arXiv 1907.11692) as an encoder of post-norm blocks with the classifier on
 * the first token. The client's embedding is `LayerNorm(token + position + segment)`, with the vector of the first segment added to the positions;
 * rows of padding are zero, which the softmax form masks. The PowerSoftmax form multiplies the keys by a mask that it computes from its input, see
 * {@link visibleTokens}.
 *
 * @throws AssetError naming a tensor that is missing or of another shape
 */
export function convertBert({ architecture, weights, tokens, form, newLabels }: BertOptions): ConvertedCheckpoint {
  const { features, layers, labels = [] } = architecture;
  const prefix = `${architecture.family}.`;
  const base = weights.names.some((name) => name.startsWith(`${prefix}embeddings.`)) ? prefix : '';
  const read = readerOf(weights, features);
  const input = tfl.input({ shape: [tokens, features], name: 'embedded' });
  const softmax = form.attention === 'softmax';
  const embedding = embeddingOf(read, `${base}embeddings.`, architecture, tokens);
  const visible = softmax ? undefined : visibleTokens(embedding);
  const masked = visible === undefined ? withKerasMask(input) : withMask(input, visible, tokens);
  const { mask } = masked;
  let { x } = masked;
  for (let index = 0; index < layers; index += 1) {
    const block = blockLayer(architecture, form, index);
    x = symbolOf(block.apply(mask === undefined ? x : [x, mask]));
    setNamedWeights(block, blockWeights(read, `${base}encoder.layer.${index}.`, architecture));
  }
  x = symbolOf(new TokenPooling({ name: 'first_token', position: 'first' }).apply(x));
  const classifier = tfl.layers.dense({
    name: 'classifier',
    units: newLabels?.length ?? labels.length,
    kernelInitializer: tfl.initializers.glorotUniform({ seed: SEED }),
  });
  if (newLabels === undefined) {
    const pooler = tfl.layers.dense({ name: 'pooler', units: features, activation: softmax ? 'tanh' : 'linear' });
    const [from, to] = architecture.family === 'bert' ? [`${base}pooler.dense`, 'classifier'] : ['classifier.dense', 'classifier.out_proj'];
    x = symbolOf(pooler.apply(x));
    setNamedWeights(pooler, read.dense(from, features, features, ''));
    x = symbolOf(classifier.apply(x));
    setNamedWeights(classifier, read.dense(to, features, labels.length, ''));
  } else x = symbolOf(classifier.apply(x));
  return {
    model: tfl.model({ name: architecture.family, inputs: input, outputs: x }),
    embedding: [embedding.token, embedding.position, embedding.gamma, shifted(embedding.beta, visible?.shift)],
    embeddingNormEpsilon: architecture.normEpsilon,
    changes: changesOf(architecture, form, newLabels),
  };
}

interface MaskedTokens {
  readonly x: tfl.SymbolicTensor;
  /** `[batch, tokens]`; undefined where the mask is computed from `x`. */
  readonly mask?: tfl.SymbolicTensor;
}

function withKerasMask(input: tfl.SymbolicTensor): MaskedTokens {
  return { x: symbolOf(tfl.layers.masking({ name: 'padding', maskValue: 0 }).apply(input)) };
}

/** The mask of padding, by layers that are not trained, as the client's embedding is not. */
function withMask(input: tfl.SymbolicTensor, { kernel, shift }: VisibleTokens, tokens: number): MaskedTokens {
  const features = kernel.length;
  const linear = (name: string, units: number, from: tfl.SymbolicTensor, weights: Float32Array): tfl.SymbolicTensor => {
    const layer = tfl.layers.dense({ name, units, useBias: false, trainable: false });
    const output = symbolOf(layer.apply(from));
    setNamedWeights(layer, { kernel: weights });
    return output;
  };
  const column = linear('visible', 1, input, kernel);
  return {
    x: shift === undefined ? input : linear('unshifted', features, input, withoutShift(kernel, shift)),
    mask: symbolOf(tfl.layers.reshape({ name: 'mask', targetShape: [tokens] }).apply(column)),
  };
}

function shifted(values: Float32Array, shift: Float32Array | undefined): Float32Array {
  return shift === undefined ? values : values.map((value, k) => value + (shift[k] ?? 0));
}

function blockLayer({ features, heads, hidden, normEpsilon }: BertArchitecture, form: ModelForm, index: number): EncoderBlock {
  const sizes = { numHeads: heads, keyDim: features / heads, hiddenDim: hidden, useBias: true };
  return new EncoderBlock({ name: `block_${index}`, ...sizes, seed: index, normEpsilon, ...form });
}

/** Reads tensors as tfjs' layers hold them. */
interface Reader {
  readonly matrix: (name: string, rows: number) => Float32Array;
  /** Kernel and bias of a linear layer, under names that end in `kernel` and `bias`. */
  readonly dense: (name: string, inputs: number, outputs: number, as: string) => Readonly<Record<string, Float32Array>>;
  readonly norm: (name: string, as: string) => Readonly<Record<string, Float32Array>>;
}

function readerOf(weights: CheckpointWeights, features: number): Reader {
  const normPart = (name: string, now: string, before: string): Float32Array =>
    // Checkpoints of TensorFlow's time call them gamma and beta.
    weights.take(weights.names.includes(`${name}.${before}`) ? `${name}.${before}` : `${name}.${now}`, [features]);
  return {
    matrix: (name, rows) => weights.take(name, [rows, features]),
    dense: (name, inputs, outputs, as) => ({
      [`${as}kernel`]: transposed(weights.take(`${name}.weight`, [outputs, inputs]), outputs, inputs),
      [`${as}bias`]: weights.take(`${name}.bias`, [outputs]),
    }),
    norm: (name, as) => ({ [`${as}gamma`]: normPart(name, 'weight', 'gamma'), [`${as}beta`]: normPart(name, 'bias', 'beta') }),
  };
}

function blockWeights({ dense, norm }: Reader, layer: string, { features, hidden }: BertArchitecture) {
  return {
    ...dense(`${layer}attention.self.query`, features, features, 'attention/query/'),
    ...dense(`${layer}attention.self.key`, features, features, 'attention/key/'),
    ...dense(`${layer}attention.self.value`, features, features, 'attention/value/'),
    ...dense(`${layer}attention.output.dense`, features, features, 'attention/output/'),
    ...norm(`${layer}attention.output.LayerNorm`, 'attention_norm/'),
    ...dense(`${layer}intermediate.dense`, features, hidden, 'feed_forward/hidden/'),
    ...dense(`${layer}output.dense`, hidden, features, 'feed_forward/output/'),
    ...norm(`${layer}output.LayerNorm`, 'feed_forward_norm/'),
  };
}

function embeddingOf({ matrix, norm }: Reader, base: string, architecture: BertArchitecture, tokens: number): EmbeddingWeights {
  const { features, vocabulary, positions, firstPosition, segments } = architecture;
  const all = matrix(`${base}position_embeddings.weight`, positions);
  const segment = matrix(`${base}token_type_embeddings.weight`, segments);
  const placed = all
    .slice(firstPosition * features, (firstPosition + tokens) * features)
    .map((value, index) => value + (segment[index % features] ?? 0));
  const { gamma = new Float32Array(), beta = new Float32Array() } = norm(`${base}LayerNorm`, '');
  return { token: matrix(`${base}word_embeddings.weight`, vocabulary), position: placed, gamma, beta };
}

function changesOf({ segments, normEpsilon }: BertArchitecture, form: ModelForm, newLabels: readonly string[] | undefined): string[] {
  return [
    ...(segments > 1 ? ['a text is the first segment: the vectors of other segments are left out'] : []),
    ...(newLabels === undefined ? [] : [`a new classifier of ${newLabels.length} labels on the first token, with random weights`]),
    ...(form.attention === 'softmax'
      ? []
      : [
          'padding is masked by a factor of the keys that is computed from the encrypted tokens, which takes a level a block',
          ...(newLabels === undefined ? ['tanh of the pooler is left out, so that the classifier is linear'] : []),
          `${form.normEpsilon} in place of ${normEpsilon} is added to variances in the blocks, so that 1/sqrt has an interval`,
        ]),
  ];
}

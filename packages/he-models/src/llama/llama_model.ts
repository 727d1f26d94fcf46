import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, LanguageModelHead } from 'tfjs-power-softmax';
import { setNamedWeights, transposed } from '../layer_weights.js';
import { symbolOf } from '../train/parameter.js';
import { LLAMA_NORM_EPSILON, type LlamaCheckpoint, type LlamaConfig, type LlamaLayer } from './checkpoint.js';

/** How a model of these sizes computes. */
export interface LlamaModelOptions {
  readonly config: LlamaConfig;
  /** Tokens of an input. */
  readonly tokens: number;
  readonly attention: 'softmax' | 'power';
  /** Even power of PowerSoftmax; ignored with softmax. Default 4. */
  readonly p?: number;
  /** Of PowerSoftmax, see its layer; ignored with softmax. Default 1e-3. */
  readonly epsilon?: number;
  /** Added to mean squares, by block, the last one that of the head. Default: 1e-5 everywhere, as in llama2.c. */
  readonly normEpsilons?: readonly number[];
  /** Bias in the projections to queries, keys and values, which Llama has not. Default false. */
  readonly useBias?: boolean;
  /** Default `llama`. */
  readonly name?: string;
}

/**
 * A Llama-style model of this repository's layers: pre-norm blocks with RMSNorm, rotary positions, causal attention with shared keys and values
 * and SwiGLU. Input: embedded tokens `[batch, tokens, features]`; output: logits of each token's successor, `[batch, tokens, vocabulary]`.
 */
export function buildLlama(options: LlamaModelOptions): tfl.LayersModel {
  const { config, tokens, attention, p, epsilon, normEpsilons, useBias = false, name = 'llama' } = options;
  const { features, hidden, layers, heads, keyValueHeads, vocabulary } = config;
  const normEpsilonOf = (index: number): number => normEpsilons?.[index] ?? LLAMA_NORM_EPSILON;
  const input = tfl.input({ shape: [tokens, features], name: 'embedded' });
  let x = input;
  for (let index = 0; index < layers; index += 1) {
    const block = new EncoderBlock({
      name: `block_${index}`,
      numHeads: heads,
      keyValueHeads,
      keyDim: features / heads,
      hiddenDim: hidden,
      activation: 'swiglu',
      norm: 'rms',
      normFirst: true,
      causal: true,
      rotary: true,
      attention,
      useBias,
      normEpsilon: normEpsilonOf(index),
      seed: index,
      ...(p === undefined ? {} : { p }),
      ...(epsilon === undefined ? {} : { epsilon }),
    });
    x = symbolOf(block.apply(x));
  }
  const head = new LanguageModelHead({ name: 'next', units: vocabulary, norm: 'rms', normEpsilon: normEpsilonOf(layers), seed: layers });
  return tfl.model({ inputs: input, outputs: symbolOf(head.apply(x)), name });
}

/** Gives a model of {@link buildLlama} the weights of a checkpoint; biases, which Llama has not, become 0. */
export function setLlamaWeights(model: tfl.LayersModel, { config, layers, finalNorm, classifier }: LlamaCheckpoint): void {
  layers.forEach((layer, index) => {
    setNamedWeights(model.getLayer(`block_${index}`), blockWeights(layer, config), 'zeros');
  });
  setNamedWeights(model.getLayer('next'), {
    'norm/gamma': finalNorm,
    'logits/kernel': transposed(classifier, config.vocabulary, config.features),
  });
}

function blockWeights(layer: LlamaLayer, { features, hidden, heads, keyValueHeads }: LlamaConfig): Readonly<Record<string, Float32Array>> {
  const size = features / heads;
  const keys = keyValueHeads * size;
  return {
    'attention/query/kernel': transposed(halvesOfHeads(layer.query, size, features), features, features),
    'attention/key/kernel': transposed(halvesOfHeads(layer.key, size, features), keys, features),
    'attention/value/kernel': transposed(layer.value, keys, features),
    'attention/output/kernel': transposed(layer.output, features, features),
    'attention_norm/gamma': layer.attentionNorm,
    'feed_forward/hidden/kernel': transposed(layer.up, hidden, features),
    'feed_forward/gate/kernel': transposed(layer.gate, hidden, features),
    'feed_forward/output/kernel': transposed(layer.down, features, hidden),
    'feed_forward_norm/gamma': layer.feedForwardNorm,
  };
}

/**
 * Rows of each head reordered from pairs of neighbours, as llama2.c turns them, to halves of the head, as `rotary` does: even rows first.
 *
 * @param matrix `[heads * size, columns]`
 */
function halvesOfHeads(matrix: Float32Array, size: number, columns: number): Float32Array {
  const reordered = new Float32Array(matrix.length);
  for (let row = 0; row < matrix.length / columns; row += 1) {
    const within = row % size;
    const source = row - within + (within < size / 2 ? 2 * within : 2 * (within - size / 2) + 1);
    reordered.set(matrix.subarray(source * columns, (source + 1) * columns), row * columns);
  }
  return reordered;
}

/** Rows of an embedding, one after the other. @param embedding `[vocabulary, features]` */
export function embedIds(ids: ArrayLike<number>, embedding: Float32Array, features: number): Float32Array {
  const embedded = new Float32Array(ids.length * features);
  for (let t = 0; t < ids.length; t += 1) {
    const id = ids[t] ?? 0;
    embedded.set(embedding.subarray(id * features, (id + 1) * features), t * features);
  }
  return embedded;
}

import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { FeedForward, LayerNorm, MultiHeadAttention } from 'tfjs-power-softmax';
import { UnscaledRows } from './unscaled_rows.ts';

/** `sigma-unscaled` is sigma attention without its factor `1/sqrt(L)`. */
export type AttentionVariant = 'softmax' | 'sigma' | 'sigma-unscaled' | 'power';

/** Everything that decides what a model computes before training. */
export interface ModelConfig {
  readonly attention: AttentionVariant;
  /** Power of PowerSoftmax; 0 for other attention. */
  readonly p: number;
  /** Epsilon of PowerSoftmax; 0 for other attention. */
  readonly epsilon: number;
  readonly layers: number;
  readonly features: number;
  readonly heads: number;
  readonly hidden: number;
  readonly normEpsilon: number;
  /** Characters per window in training. */
  readonly tokens: number;
  readonly seed: number;
}

/** A causal language model over characters, and its parts that measurements look into. */
export interface LanguageModel {
  /** One-hot characters `[batch, tokens, vocabulary]` to logits of the next `[batch, tokens, vocabulary]`; any number of tokens through `apply`. */
  readonly model: tfl.LayersModel;
  /** The attention layers, in order. */
  readonly attention: readonly MultiHeadAttention[];
  /** Same inputs as `model`; outputs are those of the attention layers' inputs. */
  readonly attentionInputs: tfl.LayersModel;
}

/**
 * Pre-norm transformer: `x + attention(norm(x))`, `x + feedForward(norm(x))`, and a norm before the head; rotary positions, so that it runs
 * at lengths that it was not trained on. It consists of layers that `toPolynomial` converts (embedding and head are linear maps of one-hot
 * characters).
 */
export function languageModel(config: ModelConfig, vocabulary: number): LanguageModel {
  const { attention: variant, p, epsilon, layers, features, heads, hidden, normEpsilon, tokens, seed } = config;
  const seedOf = (index: number): number => seed * 1000 + index;
  const norm = (name: string): LayerNorm => new LayerNorm({ name, epsilon: normEpsilon });
  const add = (name: string, ...terms: tfl.SymbolicTensor[]): tfl.SymbolicTensor => symbolic(tfl.layers.add({ name }).apply(terms));
  const input = tfl.input({ shape: [tokens, vocabulary], name: 'characters' });
  const embedding = tfl.layers.dense({
    name: 'embedding',
    units: features,
    useBias: false,
    kernelInitializer: tfl.initializers.randomNormal({ stddev: EMBEDDING_DEVIATION, seed: seedOf(0) }),
  });
  let x = symbolic(embedding.apply(input));
  const attention: MultiHeadAttention[] = [];
  const inputs: tfl.SymbolicTensor[] = [];
  for (let i = 0; i < layers; i++) {
    const layer = new MultiHeadAttention({
      name: `layer_${i}/attention`,
      numHeads: heads,
      keyDim: features / heads,
      attention: variant === 'sigma-unscaled' ? 'sigma' : variant,
      ...(variant === 'power' ? { p, epsilon } : {}),
      causal: true,
      rotary: true,
      seed: seedOf(2 * i + 1),
    });
    const normed = symbolic(norm(`layer_${i}/attention_norm`).apply(x));
    const attended = symbolic(layer.apply(normed));
    const scaled = variant === 'sigma-unscaled' ? symbolic(new UnscaledRows({ name: `layer_${i}/unscaled` }).apply(attended)) : attended;
    x = add(`layer_${i}/attention_residual`, x, scaled);
    const network = new FeedForward({ name: `layer_${i}/feed_forward`, hiddenDim: hidden, seed: seedOf(2 * i + 2) });
    x = add(`layer_${i}/feed_forward_residual`, x, symbolic(network.apply(symbolic(norm(`layer_${i}/feed_forward_norm`).apply(x)))));
    attention.push(layer);
    inputs.push(normed);
  }
  const head = tfl.layers.dense({
    name: 'head',
    units: vocabulary,
    kernelInitializer: tfl.initializers.glorotUniform({ seed: seedOf(2 * layers + 1) }),
  });
  const logits = symbolic(head.apply(symbolic(norm('final_norm').apply(x))));
  return {
    model: tfl.model({ inputs: input, outputs: logits, name: 'language_model' }),
    attention,
    attentionInputs: tfl.model({ inputs: input, outputs: inputs, name: 'attention_inputs' }),
  };
}

/** Logits of one-hot characters of any length, `[batch, tokens, vocabulary]`; for training and for polynomial models too. */
export function logitsOf(model: tfl.LayersModel, characters: tf.Tensor3D): tf.Tensor3D {
  // A functional model of one output of rank 3.
  return model.apply(characters, { training: true }) as tf.Tensor3D;
}

/** `[count, length]` numbers of characters to `[count, length, vocabulary]`. */
export function oneHot(ids: Int32Array, count: number, vocabulary: number): tf.Tensor3D {
  return tf.tidy(() => {
    const flat = tf.cast(tf.oneHot(tf.tensor1d(ids, 'int32'), vocabulary), 'float32');
    return tf.reshape<tf.Rank.R3>(flat, [count, ids.length / count, vocabulary]);
  });
}

const EMBEDDING_DEVIATION = 0.5;

/** What a layer applied to symbolic tensors gives, where it has one output. */
function symbolic(output: ReturnType<tfl.layers.Layer['apply']>): tfl.SymbolicTensor {
  if (output instanceof tfl.SymbolicTensor) return output;
  throw new Error('a layer with one symbolic output was expected');
}

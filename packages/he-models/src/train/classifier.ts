import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, layerNorm } from 'tfjs-power-softmax';
import { EMBEDDING_NORM_EPSILON } from '../embedding_norm.js';
import { normals, seededRandom } from '../random.js';
import type { EmbeddingWeights } from '../text/token_embedding.js';
import { lookup } from './lookup.js';
import { modelParameters, type Parameter, symbolOf, tensorOf, valuesOf, variableOf } from './parameter.js';
import type { Recipe, Variant } from './recipe.js';

/** Factors of inverted dropout; absent outside training. */
export interface DropoutMasks {
  /** `[batch * maxTokens * features]` */
  readonly embedding: Float32Array;
  /** `[batch * features]` */
  readonly pooled: Float32Array;
}

export interface Classifier {
  readonly variant: Variant;
  /** All weights: the embedding's first, then those of `model`. */
  readonly parameters: readonly Parameter[];
  /** Server part: `[batch, maxTokens, features]` (and a mask `[batch, maxTokens]` for softmax) to logits. */
  readonly model: tfl.LayersModel;
  /** Logits `[batch, labels]` of padded token indices `[batch * maxTokens]`, differentiable in all parameters. */
  readonly logits: (ids: Int32Array, masks?: DropoutMasks) => tf.Tensor2D;
  /** Current values of the client's part. */
  readonly embeddingWeights: () => EmbeddingWeights;
  readonly dispose: () => void;
}

const EMBEDDING_DEVIATION = 0.5;
const POSITION_DEVIATION = 0.1;

/** Builds the classifier of `recipe` with initial weights that follow from its seed. Index 0 is padding. */
export function buildClassifier(recipe: Recipe, variant: Variant, vocabularySize: number, labelCount: number): Classifier {
  const { maxTokens, features } = recipe.architecture;
  const random = seededRandom(recipe.seed);
  const token = variableOf(normals(vocabularySize * features, EMBEDDING_DEVIATION, random), [vocabularySize, features]);
  const position = variableOf(normals(maxTokens * features, POSITION_DEVIATION, random), [maxTokens, features]);
  const gamma = variableOf(new Float32Array(features).fill(1), [features]);
  const beta = variableOf(new Float32Array(features), [features]);
  const { block, pool, intent, model } = serverLayers(recipe, variant, labelCount);

  const logits = (ids: Int32Array, masks?: DropoutMasks): tf.Tensor2D =>
    tf.tidy(() => {
      const batch = ids.length / maxTokens;
      const rows = tf.reshape(lookup(token, ids), [batch, maxTokens, features]);
      const normalised = layerNorm(tf.add(rows, position), gamma, beta, EMBEDDING_NORM_EPSILON);
      const present = tf.tensor2d(
        Float32Array.from(ids, (id) => (id === 0 ? 0 : 1)),
        [batch, maxTokens],
      );
      const padded = tf.mul(normalised, tf.expandDims(present, -1));
      const x = masks === undefined ? padded : tf.mul(padded, tf.tensor3d(masks.embedding, [batch, maxTokens, features]));
      const encoded = block.apply(variant === 'softmax' ? [x, present] : x, { training: masks !== undefined });
      const pooled = tensorOf(pool.apply(encoded));
      const dropped = masks === undefined ? pooled : tf.mul(pooled, tf.tensor2d(masks.pooled, [batch, features]));
      return tf.reshape(tensorOf(intent.apply(dropped)), [batch, labelCount]);
    });

  return {
    variant,
    parameters: [
      { name: 'embedding/token', variable: token, decayed: true },
      { name: 'embedding/position', variable: position, decayed: false },
      { name: 'embedding/gamma', variable: gamma, decayed: false },
      { name: 'embedding/beta', variable: beta, decayed: false },
      ...modelParameters(model),
    ],
    model,
    logits,
    embeddingWeights: () => ({ token: valuesOf(token), position: valuesOf(position), gamma: valuesOf(gamma), beta: valuesOf(beta) }),
    dispose: () => {
      tf.dispose([token, position, gamma, beta]);
      model.dispose();
    },
  };
}

function serverLayers(recipe: Recipe, variant: Variant, labelCount: number) {
  const { maxTokens, features, numHeads, keyDim, hiddenDim, p, attentionEpsilon, normEpsilon } = recipe.architecture;
  const tokens = tfl.input({ shape: [maxTokens, features], name: 'tokens' });
  const mask = tfl.input({ shape: [maxTokens], name: 'mask' });
  const block = new EncoderBlock({
    name: 'block_0',
    attention: variant,
    numHeads,
    keyDim,
    hiddenDim,
    p,
    epsilon: attentionEpsilon,
    normEpsilon,
    seed: recipe.seed,
  });
  const pool = tfl.layers.globalAveragePooling1d({ name: 'pool' });
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: recipe.seed });
  const intent = tfl.layers.dense({ name: 'intent', units: labelCount, kernelInitializer });
  const encoded = block.apply(variant === 'softmax' ? [tokens, mask] : tokens);
  const outputs = symbolOf(intent.apply(pool.apply(encoded)));
  const model = tfl.model({ name: `${variant}-classifier`, inputs: variant === 'softmax' ? [tokens, mask] : tokens, outputs });
  return { block, pool, intent, model };
}

import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, layerNorm, MaskedMeanPooling } from 'tfjs-power-softmax';
import { EMBEDDING_NORM_EPSILON } from '../embedding_norm.js';
import { normals, seededRandom } from '../random.js';
import type { EmbeddingWeights } from '../text/token_embedding.js';
import { lookup } from './lookup.js';
import { modelParameters, type Parameter, symbolOf, tensorOf, valuesOf, variableOf } from './parameter.js';
import type { Recipe, Variant } from './recipe.js';
import { ShortenedBlock } from './shortened_block.js';

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
  /**
   * Logits `[batch, labels]` of padded token indices `[batch * tokens]`, differentiable in all parameters.
   *
   * @param tokens default `maxTokens`; a stack of several blocks takes fewer and gives the same
   */
  readonly logits: (ids: Int32Array, masks?: DropoutMasks, tokens?: number) => tf.Tensor2D;
  /** Current values of the client's part. */
  readonly embeddingWeights: () => EmbeddingWeights;
  readonly dispose: () => void;
}

const EMBEDDING_DEVIATION = 0.5;
const POSITION_DEVIATION = 0.1;

/**
 * Builds the classifier of `recipe` with initial weights that follow from its seed. Index 0 is padding.
 *
 * @param pretrained token vectors to begin with, `[vocabularySize * features]`, of any scale
 */
export function buildClassifier(
  recipe: Recipe,
  variant: Variant,
  vocabularySize: number,
  labelCount: number,
  pretrained?: Float32Array,
): Classifier {
  const { maxTokens, features } = recipe.architecture;
  const random = seededRandom(recipe.seed);
  const vectors = pretrained === undefined ? normals(vocabularySize * features, EMBEDDING_DEVIATION, random) : scaledVectors(pretrained);
  const token = variableOf(vectors, [vocabularySize, features]);
  const position = variableOf(normals(maxTokens * features, POSITION_DEVIATION, random), [maxTokens, features]);
  const gamma = variableOf(new Float32Array(features).fill(1), [features]);
  const beta = variableOf(new Float32Array(features), [features]);
  const { blocks, pool, intent, model } = serverLayers(recipe, variant, labelCount);

  const logits = (ids: Int32Array, masks?: DropoutMasks, tokens = maxTokens): tf.Tensor2D =>
    tf.tidy(() => {
      const batch = ids.length / tokens;
      const rows = tf.reshape(lookup(token, ids), [batch, tokens, features]);
      const positions = tokens === maxTokens ? position : tf.slice(position, 0, tokens);
      const normalised = layerNorm(tf.add(rows, positions), gamma, beta, EMBEDDING_NORM_EPSILON);
      const present = tf.tensor2d(
        Float32Array.from(ids, (id) => (id === 0 ? 0 : 1)),
        [batch, tokens],
      );
      const padded = tf.mul(normalised, tf.expandDims(present, -1));
      const x = masks === undefined ? padded : tf.mul(padded, tf.tensor3d(masks.embedding, [batch, tokens, features]));
      const masked = (of: tf.Tensor): tf.Tensor | tf.Tensor[] => (variant === 'softmax' ? [of, present] : of);
      const training = masks !== undefined;
      const encoded = blocks.reduce<tf.Tensor>(
        (of, block) =>
          tokens === maxTokens
            ? tensorOf(block.apply(masked(of), { training }))
            : new ShortenedBlock(block, maxTokens, tokens).call(masked(of), { training }),
        x,
      );
      const pooled = tensorOf(pool.apply(blocks.length === 1 ? encoded : masked(encoded)));
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
      ...modelParameters(model).filter(({ name }) => blocks.length === 1 || !movesZeros(name)),
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

/** Whether a weight must be zero for rows of zeros to stay so: the biases of the blocks. */
function movesZeros(name: string): boolean {
  return name.startsWith('block_') && (name.endsWith('/bias') || name.endsWith('/beta'));
}

/** Vectors whose entries have the deviation that random ones begin with. */
function scaledVectors(vectors: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vectors) squares += value * value;
  const factor = EMBEDDING_DEVIATION / Math.sqrt(squares / vectors.length);
  return vectors.map((value) => value * factor);
}

function serverLayers(recipe: Recipe, variant: Variant, labelCount: number) {
  const { maxTokens, features, blocks: blockCount = 1 } = recipe.architecture;
  const { numHeads, keyDim, hiddenDim, p, attentionEpsilon, normEpsilon } = recipe.architecture;
  const tokens = tfl.input({ shape: [maxTokens, features], name: 'tokens' });
  const mask = tfl.input({ shape: [maxTokens], name: 'mask' });
  const masked = (of: tfl.SymbolicTensor) => (variant === 'softmax' ? [of, mask] : of);
  const blocks = Array.from(
    { length: blockCount },
    (_, index) =>
      new EncoderBlock({
        name: `block_${index}`,
        attention: variant,
        numHeads,
        keyDim,
        hiddenDim,
        p,
        epsilon: attentionEpsilon,
        normEpsilon,
        seed: recipe.seed + index,
      }),
  );
  const several = blockCount > 1;
  const pool = several ? new MaskedMeanPooling({ name: 'pool', count: maxTokens }) : tfl.layers.globalAveragePooling1d({ name: 'pool' });
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: recipe.seed });
  const intent = tfl.layers.dense({ name: 'intent', units: labelCount, kernelInitializer });
  const encoded = blocks.reduce((of, block) => symbolOf(block.apply(masked(of))), tokens);
  const outputs = symbolOf(intent.apply(pool.apply(several ? masked(encoded) : encoded)));
  const model = tfl.model({ name: `${variant}-classifier`, inputs: variant === 'softmax' ? [tokens, mask] : tokens, outputs });
  return { blocks, pool, intent, model };
}

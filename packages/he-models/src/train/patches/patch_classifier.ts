import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { AttentionPooling, FeedForward, layerNorm, MultiHeadAttention } from 'tfjs-power-softmax';
import { EMBEDDING_NORM_EPSILON } from '../../embedding_norm.js';
import type { PatchWeights } from '../../patches/patch_embedding.js';
import { patchLength, tokenCount } from '../../patches/patch_grid.js';
import { normals, seededRandom } from '../../random.js';
import { modelParameters, type Parameter, symbolOf, tensorOf, valuesOf, variableOf } from '../parameter.js';
import type { Variant } from '../recipe.js';
import { type PatchRecipe, serverShape } from './patch_recipe.js';

export interface PatchClassifier {
  readonly variant: Variant;
  /** All weights: the embedding's first, then those of `model`. */
  readonly parameters: readonly Parameter[];
  /** Server part: `[batch, ...serverShape]` to logits `[batch, classes]`. */
  readonly model: tfl.LayersModel;
  /**
   * Logits `[batch, classes]` of patches `[batch * tokens * patchLength]`, differentiable in all parameters. `keep` is multiplied onto the
   * embedding, `[batch * tokens * features]`.
   */
  readonly logits: (patches: Float32Array, keep?: Float32Array) => tf.Tensor2D;
  /** Current values of the client's part. */
  readonly embeddingWeights: () => PatchWeights;
  readonly dispose: () => void;
}

const POSITION_DEVIATION = 0.1;

/** Builds the classifier of `recipe` with initial weights that follow from its seed. */
export function buildPatchClassifier(recipe: PatchRecipe, variant: Variant, classCount: number): PatchClassifier {
  const { grid, features } = recipe.architecture;
  const [tokens, length] = [tokenCount(grid), patchLength(grid)];
  const random = seededRandom(recipe.seed);
  const projection = variableOf(normals(length * features, 1 / Math.sqrt(length), random), [length, features]);
  const position = variableOf(normals(tokens * features, POSITION_DEVIATION, random), [tokens, features]);
  const gamma = variableOf(new Float32Array(features).fill(1), [features]);
  const beta = variableOf(new Float32Array(features), [features]);
  const model = serverModel(recipe, variant, classCount);

  const logits = (patches: Float32Array, keep?: Float32Array): tf.Tensor2D =>
    tf.tidy(() => {
      const batch = patches.length / (tokens * length);
      const rows = tf.matMul(tf.tensor2d(patches, [batch * tokens, length]), tf.reshape<tf.Rank.R2>(projection, [length, features]));
      const placed = tf.add(tf.reshape(rows, [batch, tokens, features]), position);
      const normalised = layerNorm(placed, gamma, beta, EMBEDDING_NORM_EPSILON);
      const x = keep === undefined ? normalised : tf.mul(normalised, tf.tensor3d(keep, [batch, tokens, features]));
      const given = tf.reshape(x, [batch, ...serverShape(recipe.architecture)]);
      return tf.reshape(tensorOf(model.apply(given, { training: keep !== undefined })), [batch, classCount]);
    });

  return {
    variant,
    parameters: [
      { name: 'embedding/projection', variable: projection, decayed: true },
      { name: 'embedding/position', variable: position, decayed: false },
      { name: 'embedding/gamma', variable: gamma, decayed: false },
      { name: 'embedding/beta', variable: beta, decayed: false },
      ...modelParameters(model),
    ],
    model,
    logits,
    embeddingWeights: () => ({
      projection: valuesOf(projection),
      position: valuesOf(position),
      gamma: valuesOf(gamma),
      beta: valuesOf(beta),
    }),
    dispose: () => {
      tf.dispose([projection, position, gamma, beta]);
      model.dispose();
    },
  };
}

function serverModel(recipe: PatchRecipe, variant: Variant, classCount: number): tfl.LayersModel {
  const { architecture, seed } = recipe;
  const tokens = tfl.input({ shape: [...serverShape(architecture)], name: 'tokens' });
  const read = architecture.head === 'queries' ? queriedTokens(tokens, recipe, variant) : encodedTokens(tokens, recipe, variant);
  const kernelInitializer = tfl.initializers.glorotUniform({ seed });
  const classes = tfl.layers.dense({ name: 'class', units: classCount, kernelInitializer });
  return tfl.model({ name: `${variant}-classifier`, inputs: tokens, outputs: symbolOf(classes.apply(read)) });
}

/** Self-attention and feed-forward network on every token; their mean, or all of them. */
function encodedTokens(tokens: tfl.SymbolicTensor, { architecture, seed }: PatchRecipe, variant: Variant): tfl.SymbolicTensor {
  const { numHeads, keyDim, hiddenDim, p, attentionEpsilon: epsilon, head } = architecture;
  const attention = new MultiHeadAttention({ name: 'attention', attention: variant, numHeads, keyDim, p, epsilon, seed });
  const attended = symbolOf(tfl.layers.add({ name: 'attention_residual' }).apply([tokens, symbolOf(attention.apply(tokens))]));
  const feedForward = new FeedForward({ name: 'feed_forward', hiddenDim, activation: 'quadratic', seed });
  const changed = tfl.layers.add({ name: 'feed_forward_residual' }).apply([attended, symbolOf(feedForward.apply(attended))]);
  const read = head === 'mean' ? tfl.layers.globalAveragePooling1d({ name: 'pool' }) : tfl.layers.flatten({ name: 'all_tokens' });
  return symbolOf(read.apply(changed));
}

/** What learned queries find among the tokens, side by side, through the feed-forward network if there is one. */
function queriedTokens(row: tfl.SymbolicTensor, { architecture, seed }: PatchRecipe, variant: Variant): tfl.SymbolicTensor {
  const { grid, features, numHeads, keyDim, hiddenDim, p, attentionEpsilon: epsilon } = architecture;
  const tokens = tfl.layers.reshape({ name: 'split_tokens', targetShape: [tokenCount(grid), features] }).apply(row);
  const attention = new AttentionPooling({ name: 'attention', attention: variant, numHeads, valueDim: keyDim, p, epsilon, seed });
  const found = symbolOf(attention.apply(tokens));
  if (hiddenDim === 0) return found;
  const one = symbolOf(tfl.layers.reshape({ name: 'one_token', targetShape: [1, numHeads * keyDim] }).apply(found));
  const feedForward = new FeedForward({ name: 'feed_forward', hiddenDim, activation: 'quadratic', seed });
  const changed = tfl.layers.add({ name: 'feed_forward_residual' }).apply([one, symbolOf(feedForward.apply(one))]);
  return symbolOf(tfl.layers.flatten({ name: 'one_row' }).apply(changed));
}

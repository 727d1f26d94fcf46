import * as tf from '@tensorflow/tfjs-core';
import { type Corpus, evenWindows } from '../corpus.ts';
import { batches } from '../evaluation.ts';
import { type LanguageModel, oneHot } from '../model.ts';
import { attentionWeights } from './attention_weights.ts';

export interface LocalityConfig {
  /** Windows of validation text. */
  readonly windows: number;
  /** A token, and `within - 1` before it. */
  readonly within: number;
  /** Side of the map kept for drawing, a divisor of the number of tokens. */
  readonly mapSize: number;
}

/** Where a row-stochastic causal map looks to, averaged over its rows. */
export interface Locality {
  /** Mean distance to the tokens attended to, in tokens. */
  readonly distance: number;
  /** Weight of the last `within` tokens, the token itself included, in [0, 1]. */
  readonly mass: number;
}

export interface LayerLocality extends Locality {
  /** Weights averaged over windows, heads and cells, rows are queries. */
  readonly map: readonly (readonly number[])[];
}

export interface LocalityResult {
  readonly layers: readonly LayerLocality[];
}

/** Weights averaged over validation text and heads, and how local they are, layer by layer. */
export function measureLocality(language: LanguageModel, corpus: Corpus, config: LocalityConfig, tokens: number): LocalityResult {
  const sums = language.attention.map(() => new Float64Array(tokens * tokens));
  for (const batch of batches(evenWindows(corpus.validation, config.windows, tokens))) {
    tf.tidy(() => {
      const output = language.attentionInputs.apply(oneHot(batch.inputs, batch.count, corpus.vocabulary.length));
      const inputs = Array.isArray(output) ? output : [output];
      language.attention.forEach((layer, i) => {
        // Inputs of attention layers have rank 3, and the model was applied to a tensor.
        const weights = attentionWeights(layer, inputs[i] as tf.Tensor3D);
        const mean = tf.mean(tf.sum(weights, 0), 0).dataSync();
        const sum = sums[i];
        for (let k = 0; sum !== undefined && k < sum.length; k++) sum[k] = (sum[k] ?? 0) + (mean[k] ?? 0) / config.windows;
      });
    });
  }
  return { layers: sums.map((map) => ({ ...localityOf(map, tokens, config.within), map: shrunk(map, tokens, config.mapSize) })) };
}

/** Locality of weights `[tokens, tokens]`, row-major. Rows are scaled to sum to 1 first, as epsilon takes a little; rows of zeros are left out. */
export function localityOf(weights: ArrayLike<number>, tokens: number, within: number): Locality {
  let [distance, mass, rows] = [0, 0, 0];
  for (let i = 0; i < tokens; i++) {
    let [total, far, near] = [0, 0, 0];
    for (let j = 0; j <= i; j++) {
      const weight = weights[i * tokens + j] ?? 0;
      total += weight;
      far += weight * (i - j);
      if (i - j < within) near += weight;
    }
    if (total === 0) continue;
    distance += far / total;
    mass += near / total;
    rows += 1;
  }
  return { distance: distance / rows, mass: mass / rows };
}

/** Averages over square cells, so that `size` rows and columns are left; four decimals. */
export function shrunk(weights: ArrayLike<number>, tokens: number, size: number): number[][] {
  const cell = tokens / size;
  const map = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let i = 0; i < tokens; i++) {
    for (let j = 0; j < tokens; j++) {
      const row = map[Math.floor(i / cell)];
      const column = Math.floor(j / cell);
      if (row !== undefined) row[column] = (row[column] ?? 0) + (weights[i * tokens + j] ?? 0) / cell ** 2;
    }
  }
  return map.map((row) => row.map((value) => Math.round(value * 1e4) / 1e4));
}

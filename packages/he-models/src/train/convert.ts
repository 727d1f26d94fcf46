import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type PolynomialModel, toPolynomial } from 'tfjs-power-softmax';
import { type EmbeddingWeights, embedTokens } from '../text/token_embedding.js';
import { type EncodedQuestions, selectQuestions, tokensOf } from './batches.js';
import type { Classifier } from './classifier.js';
import { dividedModel } from './divided_model.js';
import { chunks, rowsOf } from './metrics.js';
import type { Recipe } from './recipe.js';

/** What the client would encrypt for these questions: `[count, maxTokens, features]`. */
export function embedQuestions(questions: EncodedQuestions, weights: EmbeddingWeights): tf.Tensor3D {
  const { maxTokens, count } = questions;
  const features = weights.gamma.length;
  const embedded = new Float32Array(count * maxTokens * features);
  for (let row = 0; row < count; row += 1) {
    const ids = questions.ids.subarray(row * maxTokens, (row + 1) * maxTokens);
    const length = ids.indexOf(0);
    embedded.set(embedTokens([...ids.subarray(0, length === -1 ? maxTokens : length)], weights), row * maxTokens * features);
  }
  return tf.tensor3d(embedded, [count, maxTokens, features]);
}

/** The questions that ranges are calibrated on: all, or the longest, whose sums are the largest. */
export function calibrationQuestions(questions: EncodedQuestions, { conversion }: Recipe): EncodedQuestions {
  const { calibration } = conversion;
  if (calibration === undefined || calibration >= questions.count) return questions;
  const rows = Array.from({ length: questions.count }, (_, row) => ({ row, length: tokensOf(questions, row) }));
  const longest = rows.sort((a, b) => b.length - a.length || a.row - b.row).slice(0, calibration);
  return selectQuestions(
    questions,
    longest.map(({ row }) => row),
  );
}

/** Turns the trained form into a polynomial, calibrated on {@link calibrationQuestions} through the client's embedding. */
export function convertClassifier(classifier: Classifier, questions: EncodedQuestions, recipe: Recipe, name: string): PolynomialModel {
  const { inputMargin, margin, degrees } = recipe.conversion;
  const { feedForwardParts = 1 } = recipe.architecture;
  const seen = calibrationQuestions(questions, recipe);
  const calibration = tf.tidy(() => tf.mul(embedQuestions(seen, classifier.embeddingWeights()), inputMargin));
  const divided = feedForwardParts === 1 ? undefined : dividedModel(classifier.model, feedForwardParts);
  try {
    return toPolynomial(divided ?? classifier.model, { calibration, margin, degrees, name });
  } finally {
    calibration.dispose();
    divided?.dispose();
  }
}

/** Logits of a server model for questions embedded by the client's code. */
export function serverLogits(model: LayersModel, questions: EncodedQuestions, weights: EmbeddingWeights): readonly Float32Array[] {
  return chunks(questions.count).flatMap((indices) =>
    tf.tidy(() => {
      const output = model.predictOnBatch(embedQuestions(selectQuestions(questions, indices), weights));
      return [output].flat().flatMap(rowsOf);
    }),
  );
}

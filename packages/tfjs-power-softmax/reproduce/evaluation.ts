import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { sliceWindows, type Windows } from './corpus.ts';
import { logitsOf, oneHot } from './model.ts';

/** Characters in one forward pass, which bounds memory. */
const CHARACTERS_AT_ONCE = 1024;

/** Mean cross-entropy of the next character, in nats; its exponential is the perplexity. Works for a model and for its polynomial. */
export function meanLoss(model: LayersModel, windows: Windows, vocabulary: number): number {
  let sum = 0;
  for (const batch of batches(windows)) {
    sum += tf.tidy(() => {
      const logits = tf.reshape<tf.Rank.R2>(logitsOf(model, oneHot(batch.inputs, batch.count, vocabulary)), [-1, vocabulary]);
      const labels = tf.reshape<tf.Rank.R2>(oneHot(batch.targets, batch.count, vocabulary), [-1, vocabulary]);
      return (tf.losses.softmaxCrossEntropy(labels, logits).dataSync()[0] ?? Number.NaN) * batch.count;
    });
  }
  return sum / windows.count;
}

/** Splits windows into batches that fit into one forward pass. */
export function batches(windows: Windows): Windows[] {
  const size = Math.max(1, Math.floor(CHARACTERS_AT_ONCE / windows.length));
  return Array.from({ length: Math.ceil(windows.count / size) }, (_, i) => sliceWindows(windows, i * size, size));
}

import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { LlamaCheckpoint } from '../../llama/checkpoint.js';
import { argMax } from '../metrics.js';
import { outputsOn } from './distil.js';
import { embedWindows, type Windows } from './story_data.js';

export interface StoryEvaluation {
  /** Mean cross-entropy of what follows, in nats a token. */
  readonly loss: number;
  /** The likeliest successor of each token. */
  readonly top1: readonly number[];
  /** Largest magnitude of a logit. */
  readonly maxLogit: number;
}

/** Runs a model over windows. */
export function evaluate(model: LayersModel, windows: readonly Windows[], checkpoint: LlamaCheckpoint): StoryEvaluation {
  const { vocabulary } = checkpoint.config;
  const top1: number[] = [];
  let [sum, maxLogit] = [0, 0];
  for (const part of windows) {
    const logits = tf.tidy(() => outputsOn(model, embedWindows(part, checkpoint))[0] ?? tf.scalar(Number.NaN));
    const values = logits.dataSync<'float32'>();
    logits.dispose();
    part.targets.forEach((target, index) => {
      const row = values.subarray(index * vocabulary, (index + 1) * vocabulary);
      const best = argMax(row);
      const largest = row[best] ?? Number.NaN;
      const total = row.reduce((exponentials, logit) => exponentials + Math.exp(logit - largest), 0);
      sum += largest + Math.log(total) - (row[target] ?? Number.NaN);
      maxLogit = row.reduce((most, logit) => Math.max(most, Math.abs(logit)), maxLogit);
      top1.push(best);
    });
  }
  return { loss: sum / top1.length, top1, maxLogit };
}

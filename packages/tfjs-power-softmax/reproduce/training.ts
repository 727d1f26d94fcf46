import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type RangeLossSettings, withRangeLoss } from 'tfjs-power-softmax';
import { type Corpus, evenWindows, sampleWindows } from './corpus.ts';
import { meanLoss } from './evaluation.ts';
import { type LanguageModel, languageModel, logitsOf, type ModelConfig, oneHot } from './model.ts';
import { uniformRandom } from './random.ts';

/** Everything that a trained model depends on, but for the text. */
export interface TrainConfig {
  readonly model: ModelConfig;
  readonly steps: number;
  readonly batch: number;
  /** Peak of the schedule: linear warm-up, then a cosine down to a tenth. */
  readonly learningRate: number;
  readonly warmUp: number;
  /** Range loss, from the first step on. */
  readonly range?: RangeLossSettings;
  /** Number of points of the curves. */
  readonly points: number;
  /** Windows of validation text at each point, and at the end. */
  readonly pointWindows: number;
  readonly finalWindows: number;
}

/** A point of the curves. Losses are cross-entropies in nats per character; null where they are not finite. */
export interface CurvePoint {
  readonly step: number;
  /** Mean over the steps since the last point, with the range loss where there is one. */
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
  /** Largest global norm of the gradient since the last point. */
  readonly gradientNorm: number | null;
}

export interface TrainResult {
  readonly curve: readonly CurvePoint[];
  /** Over `finalWindows`; null where training diverged. */
  readonly validationLoss: number | null;
  /** Step at which the loss was no longer finite; null if that did not happen. */
  readonly divergedAt: number | null;
}

export interface TrainedModel {
  readonly result: TrainResult;
  readonly model: LanguageModel;
}

/** Adam whose rate follows a schedule. */
class ScheduledAdam extends tf.AdamOptimizer {
  set rate(value: number) {
    this.learningRate = value;
  }
}

/** Trains a model; the same on every run on one machine. @param progress called about once a point */
export function train(config: TrainConfig, corpus: Corpus, progress: (step: number, loss: number) => void): TrainedModel {
  const { steps, batch, points, model: modelConfig } = config;
  const model = languageModel(modelConfig, corpus.vocabulary.length);
  const random = uniformRandom(modelConfig.seed);
  const adam = new ScheduledAdam(config.learningRate, 0.9, 0.99, 1e-8);
  const optimizer = config.range === undefined ? adam : withRangeLoss(adam, config.range);
  const validation = evenWindows(corpus.validation, config.pointWindows, modelConfig.tokens);
  const curve: CurvePoint[] = [];
  let [sum, count, largestNorm] = [0, 0, 0];
  let divergedAt: number | null = null;
  for (let step = 1; step <= steps && divergedAt === null; step++) {
    adam.rate = scheduledRate(config, step);
    const windows = sampleWindows(corpus.train, batch, modelConfig.tokens, random);
    const { loss, gradientNorm } = trainingStep(model.model, optimizer, windows.inputs, windows.targets, batch, corpus.vocabulary.length);
    sum += loss;
    count += 1;
    largestNorm = Math.max(largestNorm, gradientNorm);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) divergedAt = step;
    if (Math.floor((step * points) / steps) === Math.floor(((step - 1) * points) / steps) && divergedAt === null) continue;
    const validationLoss = meanLoss(model.model, validation, corpus.vocabulary.length);
    curve.push({ step, trainLoss: finite(sum / count), validationLoss: finite(validationLoss), gradientNorm: finite(largestNorm) });
    progress(step, validationLoss);
    [sum, count, largestNorm] = [0, 0, 0];
  }
  optimizer.dispose();
  const final = meanLoss(model.model, evenWindows(corpus.validation, config.finalWindows, modelConfig.tokens), corpus.vocabulary.length);
  return { model, result: { curve, validationLoss: divergedAt === null ? finite(final) : null, divergedAt } };
}

/** One step. @returns the loss before it and the global norm of its gradient */
function trainingStep(
  model: LayersModel,
  optimizer: tf.Optimizer,
  inputs: Int32Array,
  targets: Int32Array,
  batch: number,
  vocabulary: number,
): { readonly loss: number; readonly gradientNorm: number } {
  return tf.tidy(() => {
    const x = oneHot(inputs, batch, vocabulary);
    const labels = tf.reshape<tf.Rank.R2>(oneHot(targets, batch, vocabulary), [targets.length, vocabulary]);
    const { value, grads } = optimizer.computeGradients(() => {
      const logits = tf.reshape<tf.Rank.R2>(logitsOf(model, x), [targets.length, vocabulary]);
      // Reduced to one number, which the types of tfjs leave open.
      return tf.losses.softmaxCrossEntropy(labels, logits) as tf.Scalar;
    });
    optimizer.applyGradients(grads);
    const squares = Object.values(grads).map((gradient) => tf.sum(tf.square(gradient)));
    const [loss = Number.NaN, square = Number.NaN] = tf.stack([value, tf.addN(squares)]).dataSync();
    return { loss, gradientNorm: Math.sqrt(square) };
  });
}

function scheduledRate({ learningRate, warmUp, steps }: TrainConfig, step: number): number {
  if (step <= warmUp) return (learningRate * step) / warmUp;
  const progress = (step - warmUp) / Math.max(1, steps - warmUp);
  return learningRate * (0.1 + 0.45 * (1 + Math.cos(Math.PI * progress)));
}

/** JSON has no NaN. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError } from '../errors.js';
import { dropoutMask, type RandomGenerator, restoredRandom, seededRandom } from '../random.js';
import { adamWStep, clipByGlobalNorm, cosineSchedule, type Moments, zeroMoments } from './adamw.js';
import { dropWords, type EncodedQuestions, shuffledBatches } from './batches.js';
import type { TrainingState } from './checkpoint.js';
import type { Classifier } from './classifier.js';
import { trainingLoss } from './loss.js';
import type { Recipe } from './recipe.js';

/** Index of `[UNK]` in every vocabulary of this package. */
const UNKNOWN_ID = 1;

export interface TrainingEvents {
  /** After each step. */
  readonly onStep?: (progress: { readonly epoch: number; readonly step: number; readonly steps: number; readonly loss: number }) => void;
  /** After each epoch, with what a checkpoint needs. */
  readonly onEpoch?: (state: TrainingState, meanLoss: number) => Promise<void>;
}

/**
 * Trains `classifier` in place for the epochs of `recipe` that `from` has not completed. The result depends on nothing but the arguments:
 * a run interrupted after an epoch and continued from its state ends with the same weights, bit for bit, on one backend.
 *
 * @throws CheckpointError if `from` does not fit the classifier
 */
export async function train(
  classifier: Classifier,
  questions: EncodedQuestions,
  recipe: Recipe,
  events: TrainingEvents = {},
  from?: TrainingState,
): Promise<void> {
  const stepsPerEpoch = Math.floor(questions.count / Math.min(recipe.batchSize, questions.count));
  const steps = stepsPerEpoch * recipe.epochs;
  if (from !== undefined) restoreParameters(classifier, from);
  const moments = classifier.parameters.map(({ variable }, index): Moments => from?.parameters[index] ?? zeroMoments(variable.size));
  // Apart from the seed of the initial weights, so that the two streams do not overlap.
  const random = from === undefined ? seededRandom(recipe.seed + 1_000_003) : restoredRandom(from.random);
  let step = from?.step ?? 0;
  for (let epoch = from?.epoch ?? 0; epoch < recipe.epochs; epoch += 1) {
    let total = 0;
    for (const batch of shuffledBatches(questions, recipe.batchSize, random)) {
      step += 1;
      const loss = trainStep(classifier, batch, recipe, moments, step, steps, random);
      total += loss;
      events.onStep?.({ epoch, step, steps, loss });
    }
    await events.onEpoch?.(captureState(classifier, moments, epoch + 1, step, random), total / stepsPerEpoch);
  }
}

function trainStep(
  classifier: Classifier,
  batch: EncodedQuestions,
  recipe: Recipe,
  moments: readonly Moments[],
  step: number,
  steps: number,
  random: RandomGenerator,
): number {
  const { features } = recipe.architecture;
  const noisy = { ...batch, ids: dropWords(batch.ids, recipe.wordDropout, UNKNOWN_ID, random) };
  const masks = {
    embedding: dropoutMask(batch.ids.length * features, recipe.embeddingDropout, random),
    pooled: dropoutMask(batch.count * features, recipe.pooledDropout, random),
  };
  const { parameters } = classifier;
  const { loss, gradients } = lossAndGradients(classifier, noisy, masks, recipe);
  clipByGlobalNorm(gradients, recipe.clipNorm);
  const learningRate = cosineSchedule(step, steps, recipe.learningRate, recipe.warmup);
  parameters.forEach(({ variable, decayed }, index) => {
    const gradient = gradients[index];
    const state = moments[index];
    if (gradient === undefined || state === undefined) return;
    const values = Float32Array.from(variable.dataSync());
    adamWStep(values, gradient, state, { learningRate, weightDecay: decayed ? recipe.weightDecay : 0, step });
    assign(variable, values);
  });
  return loss;
}

function lossAndGradients(
  classifier: Classifier,
  batch: EncodedQuestions,
  masks: Parameters<typeof trainingLoss>[2],
  recipe: Recipe,
): { readonly loss: number; readonly gradients: readonly Float32Array[] } {
  const { parameters } = classifier;
  const { value, grads } = tf.variableGrads(
    () => trainingLoss(classifier, batch, masks, recipe),
    parameters.map(({ variable }) => variable),
  );
  const loss = value.dataSync()[0] ?? Number.NaN;
  const gradients = parameters.map(({ variable }) => {
    const gradient = grads[variable.name];
    return gradient === undefined ? new Float32Array(variable.size) : Float32Array.from(gradient.dataSync());
  });
  tf.dispose([value, ...Object.values(grads)]);
  return { loss, gradients };
}

function captureState(
  classifier: Classifier,
  moments: readonly Moments[],
  epoch: number,
  step: number,
  random: RandomGenerator,
): TrainingState {
  const parameters = classifier.parameters.map(({ name, variable }, index) => {
    const { first, second } = moments[index] ?? zeroMoments(variable.size);
    return { name, values: Float32Array.from(variable.dataSync()), first: first.slice(), second: second.slice() };
  });
  return { epoch, step, random: [...random.getState()], parameters };
}

/** Sets a classifier's weights to those of a checkpoint. @throws CheckpointError if names or sizes differ */
export function restoreParameters(classifier: Classifier, state: TrainingState): void {
  const { parameters } = classifier;
  const fits =
    parameters.length === state.parameters.length &&
    parameters.every(({ name, variable }, index) => {
      const stored = state.parameters[index];
      return stored?.name === name && stored.values.length === variable.size;
    });
  if (!fits) throw new CheckpointError('The checkpoint holds the weights of another model: pass --fresh to start anew.', {});
  parameters.forEach(({ variable }, index) => {
    const stored = state.parameters[index];
    if (stored !== undefined) assign(variable, stored.values);
  });
}

function assign(variable: tf.Variable, values: Float32Array): void {
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
}

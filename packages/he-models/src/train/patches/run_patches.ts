import * as tf from '@tensorflow/tfjs-core';
import { checkIntervals, type PolynomialModel, toPolynomial } from 'tfjs-power-softmax';
import type { LabelledArrays } from '../../data/mnist.js';
import { embedPatches, type PatchWeights } from '../../patches/patch_embedding.js';
import { tokenCount } from '../../patches/patch_grid.js';
import type { Accuracies } from '../../pretrained/config.js';
import { loadClearModel } from '../../use/clear_model.js';
import { HeModelClient } from '../../use/he_model_client.js';
import { identityOf, readCheckpoint } from '../checkpoint.js';
import type { EvaluationSummary } from '../evaluate.js';
import { accuracy, agreement, chunks, f1Scores, macroF1, rowsOf } from '../metrics.js';
import { restoreParameters } from '../optimise.js';
import type { EvaluateOptions, TrainOptions } from '../options.js';
import type { Progress } from '../progress.js';
import type { Variant } from '../recipe.js';
import { checkpointPath, type TrainingSummary } from '../run.js';
import { type TrainedPatchModel, writePatchArtefacts } from './patch_artefacts.js';
import { buildPatchClassifier, type PatchClassifier } from './patch_classifier.js';
import { digestOfSplit } from './patch_data.js';
import { type PatchRecipe, serverShape } from './patch_recipe.js';
import type { PatchTask } from './patch_tasks.js';
import { trainedLogits, trainPatchVariant, type VariantRun } from './train_variant.js';

/** Trains what the options ask for, continuing from checkpoints, and writes the model's files when both variants are there. */
export async function runPatchTraining(
  task: PatchTask,
  recipe: PatchRecipe,
  options: TrainOptions,
  progress: Progress,
): Promise<TrainingSummary> {
  const { train, dev, classes } = await task.read(options.data);
  const digest = digestOfSplit({ train, dev, classes });
  progress.log(`${train.count} training and ${dev.count} development examples`);
  const runOf = (variant: Variant): VariantRun => {
    const checkpoint = checkpointPath(options.checkpoints, variant);
    return { recipe, train, dev, classCount: classes.length, digest, checkpoint, fresh: options.fresh, progress };
  };
  const summary = { model: task.name, seed: recipe.seed, epochs: recipe.epochs, devQuestions: dev.count };
  if (options.variant !== 'both') {
    const classifier = await trainPatchVariant(options.variant, runOf(options.variant));
    const share = accuracy(trainedLogits(classifier, dev, recipe), dev.labels);
    classifier.dispose();
    return { ...summary, accuracy: options.variant === 'softmax' ? { softmax: share } : { powerSoftmax: share } };
  }
  const power = await trainPatchVariant('power', runOf('power'));
  const twin = await trainPatchVariant('softmax', runOf('softmax'));
  const softmax = trainedLogits(twin, dev, recipe);
  twin.dispose();

  const weights = power.embeddingWeights();
  const polynomial = convertPatchClassifier(power, train, recipe, task.name);
  const trained = trainedLogits(power, dev, recipe);
  const shipped = polynomialLogits(polynomial, dev, recipe, weights);
  const embedded = embedAll(dev, [...dev.labels.keys()], recipe, weights);
  const intervals = checkIntervals(polynomial.model, embedded);
  embedded.dispose();
  const ofForms = (score: (logits: readonly Float32Array[]) => number): Accuracies => ({
    softmax: score(softmax),
    powerSoftmax: score(trained),
    polynomial: score(shipped),
  });
  const shares = ofForms((logits) => accuracy(logits, dev.labels));
  const firstTraining = selectFirst(train, recipe.conversion.calibrationExamples);
  const model: TrainedPatchModel = {
    task,
    recipe,
    labels: classes,
    embedding: weights,
    polynomial,
    maxInput: tf.tidy(() => largest([Float32Array.from(embedAll(train, firstTraining, recipe, weights).dataSync())])),
    maxLogit: largest(shipped),
    devExamples: dev.count,
    accuracy: shares,
    macroF1: ofForms((logits) => macroF1(logits, dev.labels, classes.length)),
    f1: f1Scores(shipped, dev.labels, classes.length).map((score) => score ?? null),
    intervals,
  };
  const config = await writePatchArtefacts(options.out, model, progress.signal);
  polynomial.model.dispose();
  power.dispose();
  return {
    ...summary,
    accuracy: shares,
    agreement: agreement(trained, shipped),
    outsideIntervals: config.outsideIntervals,
    out: options.out,
  };
}

/** What the client would encrypt for the examples at `indices`: `[count, ...serverShape]`. */
function embedAll(examples: LabelledArrays, indices: readonly number[], recipe: PatchRecipe, weights: PatchWeights): tf.Tensor3D {
  const { grid, features } = recipe.architecture;
  const { values, length } = examples;
  const size = tokenCount(grid) * features;
  const embedded = new Float32Array(indices.length * size);
  indices.forEach((index, row) => {
    embedded.set(embedPatches(values.subarray(index * length, (index + 1) * length), grid, weights), row * size);
  });
  return tf.tensor3d(embedded, [indices.length, ...serverShape(recipe.architecture)]);
}

/** Turns the trained form into a polynomial, calibrated on the first training examples through the client's embedding. */
export function convertPatchClassifier(
  classifier: PatchClassifier,
  examples: LabelledArrays,
  recipe: PatchRecipe,
  name: string,
): PolynomialModel {
  const { calibrationExamples, margin, degree } = recipe.conversion;
  const calibration = embedAll(examples, selectFirst(examples, calibrationExamples), recipe, classifier.embeddingWeights());
  try {
    return toPolynomial(classifier.model, { calibration, margin, degrees: { reciprocal: degree }, name });
  } finally {
    calibration.dispose();
  }
}

/** Logits of the polynomial form for examples embedded by the client's code. */
export function polynomialLogits(
  { model }: PolynomialModel,
  examples: LabelledArrays,
  recipe: PatchRecipe,
  weights: PatchWeights,
): readonly Float32Array[] {
  return chunks(examples.count).flatMap((indices) =>
    tf.tidy(() => [model.predictOnBatch(embedAll(examples, indices, recipe, weights))].flat().flatMap(rowsOf)),
  );
}

/** Accuracies on the development examples: of the shipped polynomial, and of the variants whose checkpoints exist. */
export async function runPatchEvaluation(task: PatchTask, options: EvaluateOptions): Promise<EvaluationSummary> {
  const { train, dev, classes } = await task.read(options.data);
  const digest = digestOfSplit({ train, dev, classes });
  const indices = selectFirst(dev, options.limit ?? dev.count);
  const labels = indices.map((index) => dev.labels[index] ?? 0);
  const client = await HeModelClient.from_pretrained(task.name);
  const clear = await loadClearModel(task.name);
  const { values, length } = dev;
  const polynomial = indices.map((index) => clear.logits(client.embed(values.subarray(index * length, (index + 1) * length))));
  clear.dispose();
  const variantLogits = async (variant: Variant): Promise<readonly Float32Array[] | undefined> => {
    const { recipe } = task;
    const state = await readCheckpoint(checkpointPath(options.checkpoints, variant), identityOf(recipe, variant, digest));
    if (state === undefined || state.epoch < recipe.epochs) return undefined;
    const classifier = buildPatchClassifier(recipe, variant, classes.length);
    restoreParameters(classifier.parameters, state);
    const logits = trainedLogits(classifier, dev, recipe).slice(0, indices.length);
    classifier.dispose();
    return logits;
  };
  const power = await variantLogits('power');
  const softmax = await variantLogits('softmax');
  return {
    model: task.name,
    questions: indices.length,
    accuracy: {
      ...(softmax === undefined ? {} : { softmax: accuracy(softmax, labels) }),
      ...(power === undefined ? {} : { powerSoftmax: accuracy(power, labels) }),
      polynomial: accuracy(polynomial, labels),
    },
    ...(power === undefined ? {} : { agreement: agreement(polynomial, power) }),
    missing: [...(power === undefined ? (['power'] as const) : []), ...(softmax === undefined ? (['softmax'] as const) : [])],
  };
}

function selectFirst({ count }: LabelledArrays, most: number): readonly number[] {
  return Array.from({ length: Math.min(count, most) }, (_, index) => index);
}

function largest(rows: readonly Float32Array[]): number {
  return rows.reduce((most, row) => row.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0);
}

import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { checkIntervals } from 'tfjs-power-softmax';
import type { Accuracies, ClassScores, ModelConfig } from '../pretrained/config.js';
import type { EmbeddingWeights } from '../text/token_embedding.js';
import { takeTurn } from '../turns.js';
import { type TrainedModel, writeArtefacts } from './artefacts.js';
import { type EncodedQuestions, selectQuestions } from './batches.js';
import { BANKING77_CARD, percent, type TextCardText } from './card.js';
import { identityOf, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { classScores } from './class_scores.js';
import { buildClassifier, type Classifier } from './classifier.js';
import { calibrationQuestions, convertClassifier, embedQuestions, serverLogits } from './convert.js';
import { type Agreement, accuracy, agreement, classifierLogits } from './metrics.js';
import type { TrainOptions } from './options.js';
import { valuesOf } from './parameter.js';
import type { PreparedData } from './prepare.js';
import type { Progress } from './progress.js';
import type { Recipe, Variant } from './recipe.js';
import { train } from './trainer.js';

/** Development questions that are simulated before a model of a table is written. */
const SAMPLES = 16;

export const MODEL_NAME = 'power-banking77';

/** What a text model is called and what its card says besides figures. */
export interface TextModel {
  readonly name: string;
  readonly card: TextCardText;
  /** Whether it is of a user's table: figures by label are reported too, and the size of its values is found by simulation. Default false. */
  readonly ofTable?: boolean;
}

const BANKING77_MODEL: TextModel = { name: MODEL_NAME, card: BANKING77_CARD };

/** What the training command reports. Accuracies are on the development questions. */
export interface TrainingSummary {
  readonly model: string;
  readonly seed: number;
  readonly epochs: number;
  readonly devQuestions: number;
  readonly accuracy: Partial<Accuracies>;
  /** Of tables. */
  readonly classes?: ClassScores;
  /** Polynomial against trained form. */
  readonly agreement?: Agreement;
  /** Values outside their approximation's interval on the development questions. */
  readonly outsideIntervals?: number;
  readonly out?: string;
}

/** Path of a variant's checkpoint. */
export function checkpointPath(directory: string, variant: Variant): string {
  return join(directory, `${variant}.json`);
}

/** Trains what the options ask for, continuing from checkpoints, and writes the model's files when both variants are there. */
export async function runTraining(
  options: Pick<TrainOptions, 'variant' | 'checkpoints' | 'fresh' | 'out'>,
  recipe: Recipe,
  data: PreparedData,
  progress: Progress,
  model: TextModel = BANKING77_MODEL,
): Promise<TrainingSummary> {
  const summary = { model: model.name, seed: recipe.seed, epochs: recipe.epochs, devQuestions: data.dev.count };
  if (options.variant !== 'both') {
    const classifier = await trainVariant(options.variant, options, recipe, data, progress);
    const share = accuracy(classifierLogits(classifier, data.dev), data.dev.labels);
    classifier.dispose();
    return { ...summary, accuracy: options.variant === 'softmax' ? { softmax: share } : { powerSoftmax: share } };
  }
  const power = await trainVariant('power', options, recipe, data, progress);
  const twin = await trainVariant('softmax', options, recipe, data, progress);
  const softmax = classifierLogits(twin, data.dev);
  twin.dispose();
  await takeTurn(progress.signal);
  const { config, agreement: agreed } = await shipModel(power, softmax, options.out, recipe, data, model, progress.signal);
  power.dispose();
  const classes = config.classes === undefined ? {} : { classes: config.classes };
  return {
    ...summary,
    accuracy: config.accuracy,
    ...classes,
    agreement: agreed,
    outsideIntervals: config.outsideIntervals,
    out: options.out,
  };
}

async function trainVariant(
  variant: Variant,
  options: Pick<TrainOptions, 'checkpoints' | 'fresh'>,
  recipe: Recipe,
  data: PreparedData,
  progress: Progress,
): Promise<Classifier> {
  const classifier = buildClassifier(recipe, variant, data.vocabularySize, data.labels.length, data.pretrained);
  const identity = identityOf(recipe, variant, data.digest);
  const path = checkpointPath(options.checkpoints, variant);
  const from = options.fresh ? undefined : await readCheckpoint(path, identity);
  if (from !== undefined) progress.log(`${variant}: continuing after epoch ${from.epoch} of ${recipe.epochs}`);
  await train(
    classifier,
    data.train,
    recipe,
    {
      signal: progress.signal,
      onStep: ({ epoch, step, steps, loss }) =>
        progress.update(step, steps, `${variant} epoch ${epoch + 1}/${recipe.epochs} loss ${loss.toFixed(3)}`),
      onEpoch: async (state, meanLoss) => {
        await writeCheckpoint(path, identity, state);
        const dev = accuracy(classifierLogits(classifier, data.dev), data.dev.labels);
        progress.log(`${variant}: epoch ${state.epoch}/${recipe.epochs} loss ${meanLoss.toFixed(4)} dev ${percent(dev)}`);
      },
    },
    from,
  );
  return classifier;
}

async function shipModel(
  power: Classifier,
  softmax: readonly Float32Array[],
  out: string,
  recipe: Recipe,
  data: PreparedData,
  { name, card, ofTable = false }: TextModel,
  signal: AbortSignal | undefined,
): Promise<{ readonly config: ModelConfig; readonly agreement: Agreement }> {
  const polynomial = convertClassifier(power, data.train, recipe, name);
  const embedding = power.embeddingWeights();
  const trained = classifierLogits(power, data.dev);
  const shipped = serverLogits(polynomial.model, data.dev, embedding);
  const seen = calibrationQuestions(data.train, recipe);
  const embedded = embedQuestions(data.dev, embedding);
  const intervals = checkIntervals(polynomial.model, embedded);
  embedded.dispose();
  const forms = { softmax, powerSoftmax: trained, polynomial: shipped };
  const correct = (form: keyof Accuracies): number => accuracy(forms[form], data.dev.labels);
  const model: TrainedModel = {
    name,
    card,
    recipe,
    labels: data.labels,
    tokenizer: data.tokenizer,
    embedding,
    polynomial,
    maxInput: tf.tidy(() => largestMagnitude(embedQuestions(seen, embedding).dataSync())),
    maxLogit: Math.max(...serverLogits(polynomial.model, seen, embedding).map(largestMagnitude)),
    devQuestions: data.dev.count,
    accuracy: { softmax: correct('softmax'), powerSoftmax: correct('powerSoftmax'), polynomial: correct('polynomial') },
    ...(ofTable ? { classes: classScores(forms, data.dev.labels, data.labels), samples: samplesOf(data.dev, embedding) } : {}),
    intervals,
  };
  const config = await writeArtefacts(out, model, signal);
  polynomial.model.dispose();
  return { config, agreement: agreement(trained, shipped) };
}

/** The first questions as the client embeds them. */
function samplesOf(questions: EncodedQuestions, embedding: EmbeddingWeights): readonly Float32Array[] {
  const first = selectQuestions(
    questions,
    Array.from({ length: Math.min(SAMPLES, questions.count) }, (_, row) => row),
  );
  return tf.tidy(() => tf.unstack(embedQuestions(first, embedding)).map(valuesOf));
}

function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < values.length; index += 1) largest = Math.max(largest, Math.abs(values[index] ?? 0));
  return largest;
}

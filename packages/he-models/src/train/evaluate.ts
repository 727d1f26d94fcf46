import * as tf from '@tensorflow/tfjs-core';
import { fromPretrained, type PretrainedModel } from '../index.js';
import type { Accuracies } from '../pretrained/config.js';
import { type EncodedQuestions, selectQuestions } from './batches.js';
import { type Agreement, accuracy, agreement, classifierLogits, rowsOf } from './metrics.js';
import type { EvaluateOptions } from './options.js';
import type { PreparedData } from './prepare.js';
import type { Recipe, Variant } from './recipe.js';
import { dataOfShipped, shippedName, trainedClassifier } from './trained_classifier.js';

/** What the evaluation command reports. */
export interface EvaluationSummary {
  readonly model: string;
  readonly questions: number;
  readonly accuracy: Partial<Accuracies>;
  /** Shipped polynomial against trained form. */
  readonly agreement?: Agreement;
  /** Variants without a checkpoint. */
  readonly missing: readonly Variant[];
}

/** Accuracies on the development questions: of the shipped polynomial, and of the variants whose checkpoints exist. */
export async function runEvaluation(options: EvaluateOptions): Promise<EvaluationSummary> {
  const model = shippedName(options.dataset);
  const pretrained = await fromPretrained(model);
  const { recipe } = pretrained.config;
  const data = await dataOfShipped(options, recipe);
  const dev = firstQuestions(data.dev, options.limit);
  const polynomial = shippedLogits(pretrained, data.devTexts.slice(0, dev.count));
  pretrained.model.dispose();
  const power = await variantLogits('power', options, recipe, data, dev);
  const softmax = await variantLogits('softmax', options, recipe, data, dev);
  return {
    model,
    questions: dev.count,
    accuracy: {
      ...(softmax === undefined ? {} : { softmax: accuracy(softmax, dev.labels) }),
      ...(power === undefined ? {} : { powerSoftmax: accuracy(power, dev.labels) }),
      polynomial: accuracy(polynomial, dev.labels),
    },
    ...(power === undefined ? {} : { agreement: agreement(polynomial, power) }),
    missing: [...(power === undefined ? (['power'] as const) : []), ...(softmax === undefined ? (['softmax'] as const) : [])],
  };
}

function firstQuestions(questions: EncodedQuestions, limit: number | undefined): EncodedQuestions {
  const count = Math.min(limit ?? questions.count, questions.count);
  return selectQuestions(
    questions,
    Int32Array.from({ length: count }, (_, index) => index),
  );
}

async function variantLogits(
  variant: Variant,
  options: EvaluateOptions,
  recipe: Recipe,
  data: PreparedData,
  dev: EncodedQuestions,
): Promise<readonly Float32Array[] | undefined> {
  const classifier = await trainedClassifier(variant, options.checkpoints, recipe, data);
  if (classifier === undefined) return undefined;
  const logits = classifierLogits(classifier, dev);
  classifier.dispose();
  return logits;
}

function shippedLogits({ model, embed, inputShape }: PretrainedModel, texts: readonly string[]): readonly Float32Array[] {
  return texts.flatMap((text) =>
    tf.tidy(() => [model.predictOnBatch(tf.tensor3d(embed(text, { truncate: true }), [...inputShape]))].flat().flatMap(rowsOf)),
  );
}

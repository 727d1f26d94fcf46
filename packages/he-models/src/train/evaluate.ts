import * as tf from '@tensorflow/tfjs-core';
import { openModel } from '../hub/model_files.js';
import { fromPretrained, type PretrainedModel } from '../index.js';
import { parseJson } from '../pretrained/assets.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import type { Accuracies } from '../pretrained/config.js';
import type { TokenizerJson } from '../text/tokenizer_json.js';
import { type EncodedQuestions, selectQuestions } from './batches.js';
import { identityOf, readCheckpoint } from './checkpoint.js';
import { buildClassifier } from './classifier.js';
import { type Agreement, accuracy, agreement, classifierLogits, rowsOf } from './metrics.js';
import { restoreParameters } from './optimise.js';
import { DATASETS, type EvaluateOptions } from './options.js';
import { type PreparedData, prepareBanking77 } from './prepare.js';
import type { Recipe, Variant } from './recipe.js';
import { checkpointPath, MODEL_NAME } from './run.js';
import { prepareSst2With } from './sst2/prepare_sst2.js';

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
  const model = DATASETS[options.dataset] ?? MODEL_NAME;
  const pretrained = await fromPretrained(model);
  const { recipe } = pretrained.config;
  const data = await (options.dataset === 'sst2'
    ? prepareSst2With(options.data, await tokenizerOf(model), recipe)
    : prepareBanking77(options.data, options.vocabulary, recipe));
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

async function tokenizerOf(model: string): Promise<TokenizerJson> {
  const files = await openModel(model, CLIENT_BUNDLES);
  return parseJson<TokenizerJson>(await files.file('tokenizer.json'), 'tokenizer.json');
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
  const state = await readCheckpoint(checkpointPath(options.checkpoints, variant), identityOf(recipe, variant, data.digest));
  if (state === undefined || state.epoch < recipe.epochs) return undefined;
  const classifier = buildClassifier(recipe, variant, data.vocabularySize, data.labels.length);
  restoreParameters(classifier.parameters, state);
  const logits = classifierLogits(classifier, dev);
  classifier.dispose();
  return logits;
}

function shippedLogits({ model, embed, inputShape }: PretrainedModel, texts: readonly string[]): readonly Float32Array[] {
  return texts.flatMap((text) =>
    tf.tidy(() => [model.predictOnBatch(tf.tensor3d(embed(text, { truncate: true }), [...inputShape]))].flat().flatMap(rowsOf)),
  );
}

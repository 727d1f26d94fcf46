import type { IntervalCheck, PolynomialModel } from 'tfjs-power-softmax';
import type { PatchWeights } from '../../patches/patch_embedding.js';
import { tokenCount } from '../../patches/patch_grid.js';
import type { Accuracies, HeMetadata, PatchConfig } from '../../pretrained/config.js';
import { approximationSummaries } from '../artefacts.js';
import { heDefaults, parametersFor } from '../he_defaults.js';
import { digestsOf, jsonBytes, littleEndian, serialiseModel, writeModelFolder } from '../model_folder.js';
import { patchCard } from './patch_card.js';
import { type PatchRecipe, serverShape } from './patch_recipe.js';
import type { PatchTask } from './patch_tasks.js';

/** `config.json` of a model of arrays that the training command wrote. */
export interface TrainedPatchConfig extends PatchConfig {
  readonly recipe: PatchRecipe;
  /** Held-out examples behind the accuracies. */
  readonly devExamples: number;
  readonly accuracy: Accuracies;
  /** Mean F1 over the classes with development examples, of the same forms. */
  readonly macroF1: Accuracies;
  /** F1 of each class as shipped, null without development examples. */
  readonly f1: readonly (number | null)[];
  /** How many of the values to be approximated were outside their interval on the development examples. */
  readonly outsideIntervals: number;
  readonly approximatedValues: number;
  /** Numbers of weights on either side. */
  readonly parameters: { readonly client: number; readonly server: number };
}

/** Everything that a shipped model of arrays consists of. */
export interface TrainedPatchModel {
  readonly task: PatchTask;
  readonly recipe: PatchRecipe;
  readonly labels: readonly string[];
  readonly embedding: PatchWeights;
  readonly polynomial: PolynomialModel;
  readonly maxInput: number;
  readonly maxLogit: number;
  readonly devExamples: number;
  readonly accuracy: Accuracies;
  readonly macroF1: Accuracies;
  readonly f1: readonly (number | null)[];
  /** From the development examples. */
  readonly intervals: readonly IntervalCheck[];
}

/** Writes a model's folder: configuration with digests, both parts' weights and card. @throws as `writeArtefacts` */
export async function writePatchArtefacts(
  directory: string,
  trained: TrainedPatchModel,
  signal?: AbortSignal,
): Promise<TrainedPatchConfig> {
  const { task, recipe, labels, embedding, polynomial, intervals } = trained;
  const { grid, features } = recipe.architecture;
  const he: HeMetadata = {
    inputShape: [1, ...serverShape(recipe.architecture)],
    outputShape: [1, labels.length],
    maxInput: trained.maxInput,
    maxLogit: trained.maxLogit,
    approximations: approximationSummaries(polynomial),
    tokens: tokenCount(grid),
    ...(await heDefaults(polynomial.model, {
      parameters: { ...parametersFor(recipe.conversion.valueBits), ...recipe.conversion.compile },
      signal,
    })),
  };
  const { modelJson, weights } = await serialiseModel(polynomial.model);
  const { projection, position, gamma, beta } = embedding;
  const clientWeights = littleEndian([projection, position, gamma, beta]);
  const contents = {
    'embedding.bin': clientWeights,
    'he.json': jsonBytes(he),
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
  };
  const config: TrainedPatchConfig = {
    name: task.name,
    format: 1,
    task: task.task,
    labels,
    embedding: { grid, features },
    recipe,
    devExamples: trained.devExamples,
    accuracy: trained.accuracy,
    macroF1: trained.macroF1,
    f1: trained.f1,
    outsideIntervals: intervals.reduce((sum, { outside }) => sum + outside, 0),
    approximatedValues: intervals.reduce((sum, { count }) => sum + count, 0),
    parameters: { client: clientWeights.length / 4, server: weights.length / 4 },
    files: digestsOf(contents),
  };
  await writeModelFolder(directory, config, contents, patchCard(config, he, task));
  return config;
}

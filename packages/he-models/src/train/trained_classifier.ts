import { openModel } from '../hub/model_files.js';
import { parseJson } from '../pretrained/assets.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import type { TextClassifierName } from '../pretrained/client_model.js';
import type { TokenizerJson } from '../text/tokenizer_json.js';
import { identityOf, readCheckpoint } from './checkpoint.js';
import { buildClassifier, type Classifier } from './classifier.js';
import { restoreParameters } from './optimise.js';
import type { CommonOptions } from './options.js';
import { type PreparedData, prepareBanking77 } from './prepare.js';
import type { Recipe, Variant } from './recipe.js';
import { checkpointPath, MODEL_NAME } from './run.js';
import { prepareSst2With } from './sst2/prepare_sst2.js';

/** The text classifier that is trained on a data set. */
export function shippedName(dataset: string): TextClassifierName {
  return dataset === 'sst2' ? 'power-sst2' : MODEL_NAME;
}

/** The data of a shipped text model, in its tokens. @throws DataError */
export async function dataOfShipped(
  { dataset, data, vocabulary }: Pick<CommonOptions, 'dataset' | 'data' | 'vocabulary'>,
  recipe: Recipe,
): Promise<PreparedData> {
  if (dataset !== 'sst2') return prepareBanking77(data, vocabulary, recipe);
  const files = await openModel(shippedName(dataset), CLIENT_BUNDLES);
  return prepareSst2With(data, parseJson<TokenizerJson>(await files.file('tokenizer.json'), 'tokenizer.json'), recipe);
}

/** A variant with the weights of a training run that has ended; undefined where `checkpoints` has none. @throws CheckpointError */
export async function trainedClassifier(
  variant: Variant,
  checkpoints: string,
  recipe: Recipe,
  data: PreparedData,
): Promise<Classifier | undefined> {
  const state = await readCheckpoint(checkpointPath(checkpoints, variant), identityOf(recipe, variant, data.digest));
  if (state === undefined || state.epoch < recipe.epochs) return undefined;
  const classifier = buildClassifier(recipe, variant, data.vocabularySize, data.labels.length);
  restoreParameters(classifier.parameters, state);
  return classifier;
}

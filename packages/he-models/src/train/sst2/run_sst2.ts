import { UsageError } from '../../errors.js';
import type { TextCardText } from '../card.js';
import type { TrainOptions } from '../options.js';
import type { Progress } from '../progress.js';
import type { Recipe } from '../recipe.js';
import { runTraining, type TextModel, type TrainingSummary } from '../run.js';
import { prepareSst2 } from './prepare_sst2.js';

const SST2_CARD: TextCardText = {
  purpose: 'Says whether a sentence about a film is positive or negative.',
  split: "the data set's own development file, which training never saw",
  commands: ['npm run train -w he-models -- sst2 --data DIR', 'npm run evaluate -w he-models -- sst2 --data DIR'],
  limits: `For showing and measuring encrypted inference on English sentences from film reviews. It always says positive or negative, also of texts that are neither or
about something else, misses irony, and its scores are no calibrated probabilities.`,
  data: `Trained on the phrases of [SST-2](https://nlp.stanford.edu/sentiment/) (Socher et al. 2013, as in GLUE), token vectors before that on the training and unlabelled reviews of
the [Large Movie Review Dataset](https://ai.stanford.edu/~amaas/data/sentiment/) (Maas et al. 2011, for research). The weights are under Apache-2.0.`,
};

export const SST2_MODEL: TextModel = { name: 'power-sst2', card: SST2_CARD };

/** Trains `power-sst2` and its softmax twin from the same token vectors. @throws DataError, CheckpointError */
export async function runSst2Training(options: TrainOptions, recipe: Recipe, progress: Progress): Promise<TrainingSummary> {
  const { pretraining } = recipe;
  if (pretraining === undefined) throw new UsageError('The recipe of power-sst2 needs a part on token vectors.', {});
  const data = await prepareSst2(options.data, recipe, pretraining, options, progress);
  return runTraining(options, recipe, data, progress, SST2_MODEL);
}

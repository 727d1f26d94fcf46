import { dropoutMask } from '../random.js';
import { cutBatchCount, cutBatches, dropWords, type EncodedQuestions, shuffledBatches } from './batches.js';
import type { TrainingState } from './checkpoint.js';
import type { Classifier } from './classifier.js';
import { trainingLoss } from './loss.js';
import { optimise, type TrainingEvents } from './optimise.js';
import type { Recipe } from './recipe.js';

/** Index of `[UNK]` in every vocabulary of this package. */
const UNKNOWN_ID = 1;

/**
 * Trains `classifier` in place on `questions` for the epochs of `recipe` that `from` has not completed.
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
  const { features } = recipe.architecture;
  const batchSize = Math.min(recipe.batchSize, questions.count);
  const { lengths } = recipe;
  await optimise(
    {
      parameters: classifier.parameters,
      stepsPerEpoch: lengths === undefined ? Math.floor(questions.count / batchSize) : cutBatchCount(questions, batchSize, lengths),
      epochBatches: (random) =>
        lengths === undefined ? shuffledBatches(questions, batchSize, random) : cutBatches(questions, batchSize, lengths, random),
      loss: (batch, random) => {
        const noisy = { ...batch, ids: dropWords(batch.ids, recipe.wordDropout, UNKNOWN_ID, random) };
        const masks = {
          embedding: dropoutMask(batch.ids.length * features, recipe.embeddingDropout, random),
          pooled: dropoutMask(batch.count * features, recipe.pooledDropout, random),
        };
        return () => trainingLoss(classifier, noisy, masks, recipe);
      },
    },
    recipe,
    events,
    from,
  );
}

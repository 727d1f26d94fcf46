import * as tf from '@tensorflow/tfjs-core';
import { collectRanges, rangeLoss } from 'tfjs-power-softmax';
import type { LabelledArrays } from '../../data/mnist.js';
import { tokenCount } from '../../patches/patch_grid.js';
import { dropoutMask } from '../../random.js';
import type { TrainingState } from '../checkpoint.js';
import { smoothedCrossEntropy } from '../loss.js';
import { optimise, type TrainingEvents } from '../optimise.js';
import { drawBatches, noisyPatches } from './patch_batches.js';
import type { PatchClassifier } from './patch_classifier.js';
import type { PatchRecipe } from './patch_recipe.js';

/**
 * Trains `classifier` in place on `examples` for the epochs of `recipe` that `from` has not completed: cross-entropy, and the range loss where
 * there are denominators (the softmax twin has none).
 *
 * @throws CheckpointError if `from` does not fit the classifier
 */
export async function trainPatches(
  classifier: PatchClassifier,
  examples: LabelledArrays,
  recipe: PatchRecipe,
  events: TrainingEvents = {},
  from?: TrainingState,
): Promise<void> {
  const { grid, features } = recipe.architecture;
  const targets = { reciprocal: { upper: recipe.rangeTarget } };
  await optimise<readonly number[]>(
    {
      parameters: classifier.parameters,
      stepsPerEpoch: Math.floor(recipe.examplesPerEpoch / recipe.batchSize),
      epochBatches: (random) => drawBatches(examples.labels, recipe, random),
      loss: (indices, random) => {
        const patches = noisyPatches(examples, indices, recipe, random);
        const keep = dropoutMask(indices.length * tokenCount(grid) * features, recipe.embeddingDropout, random);
        const labels = Int32Array.from(indices, (index) => examples.labels[index] ?? 0);
        return () =>
          tf.tidy(() => {
            const { result, sites } = collectRanges(() => classifier.logits(patches, keep));
            const task = smoothedCrossEntropy(result, labels, recipe.labelSmoothing);
            return tf.add(task, tf.mul(rangeLoss(sites, { targets }), recipe.rangeLossWeight));
          });
      },
    },
    recipe,
    events,
    from,
  );
}

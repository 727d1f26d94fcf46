import * as tf from '@tensorflow/tfjs-core';
import type { LabelledArrays } from '../../data/mnist.js';
import { percent } from '../card.js';
import { identityOf, readCheckpoint, writeCheckpoint } from '../checkpoint.js';
import { accuracy, chunks, rowsOf } from '../metrics.js';
import type { Progress } from '../progress.js';
import type { Variant } from '../recipe.js';
import { patchesOf } from './patch_batches.js';
import { buildPatchClassifier, type PatchClassifier } from './patch_classifier.js';
import type { PatchRecipe } from './patch_recipe.js';
import { trainPatches } from './train_patches.js';

export interface VariantRun {
  readonly recipe: PatchRecipe;
  readonly train: LabelledArrays;
  readonly dev: LabelledArrays;
  readonly classCount: number;
  /** SHA-256 of the data. */
  readonly digest: string;
  /** File of the checkpoint. */
  readonly checkpoint: string;
  readonly fresh: boolean;
  readonly progress: Progress;
}

/** Trains one variant, continuing from its checkpoint, which is written after every epoch. @throws CheckpointError */
export async function trainPatchVariant(variant: Variant, run: VariantRun): Promise<PatchClassifier> {
  const { recipe, train, dev, checkpoint, progress } = run;
  const classifier = buildPatchClassifier(recipe, variant, run.classCount);
  const identity = identityOf(recipe, variant, run.digest);
  const from = run.fresh ? undefined : await readCheckpoint(checkpoint, identity);
  if (from !== undefined) progress.log(`${variant}: continuing after epoch ${from.epoch} of ${recipe.epochs}`);
  await trainPatches(
    classifier,
    train,
    recipe,
    {
      signal: progress.signal,
      onStep: ({ epoch, step, steps, loss }) =>
        progress.update(step, steps, `${variant} epoch ${epoch + 1}/${recipe.epochs} loss ${loss.toFixed(3)}`),
      onEpoch: async (state, meanLoss) => {
        await writeCheckpoint(checkpoint, identity, state);
        const share = accuracy(trainedLogits(classifier, dev, recipe), dev.labels);
        progress.log(`${variant}: epoch ${state.epoch}/${recipe.epochs} loss ${meanLoss.toFixed(4)} dev ${percent(share)}`);
      },
    },
    from,
  );
  return classifier;
}

/** Logits `[count][classes]` of the trained form. */
export function trainedLogits(classifier: PatchClassifier, examples: LabelledArrays, recipe: PatchRecipe): readonly Float32Array[] {
  return chunks(examples.count).flatMap((indices) =>
    tf.tidy(() => rowsOf(classifier.logits(patchesOf(examples, indices, recipe.architecture.grid)))),
  );
}

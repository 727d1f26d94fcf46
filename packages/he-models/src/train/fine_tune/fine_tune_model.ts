import * as tf from '@tensorflow/tfjs-core';
import { collectRanges, observeSites, type RangeLossOptions, rangeLoss, tightenRanges } from 'tfjs-power-softmax';
import { embedTexts } from '../../convert/embed_texts.js';
import type { TextFolder } from '../../convert/polynomial_folder.js';
import { permutation } from '../../random.js';
import type { TrainingState } from '../checkpoint.js';
import { smoothedCrossEntropy } from '../loss.js';
import { chunks, rowsOf } from '../metrics.js';
import { optimise, type TrainingEvents } from '../optimise.js';
import { modelParameters, tensorOf } from '../parameter.js';
import type { FineTuningRecipe } from './fine_tuning_recipe.js';
import type { LabelledModel } from './for_labels.js';
import type { Row } from './table_rows.js';

/** Texts of rows as the client embeds them, `[rows, tokens, features]`. */
export function embedRows(rows: readonly Row[], text: TextFolder): tf.Tensor3D {
  return embedTexts(
    rows.map((row) => row.text),
    text,
  );
}

/** Logits of texts, a row each. */
export function logitsOf({ model }: Pick<LabelledModel, 'model'>, rows: readonly Row[], text: TextFolder): readonly Float32Array[] {
  return chunks(rows.length).flatMap((indices) =>
    tf.tidy(() => {
      const output = model.predictOnBatch(
        embedRows(
          indices.flatMap((index) => rows[index] ?? []),
          text,
        ),
      );
      return [output].flat().flatMap(rowsOf);
    }),
  );
}

/**
 * Trains a converted checkpoint in place for the epochs of `recipe` that `from` has not completed, with the cross-entropy of the labels; after a while
 * the ranges of its functions are tightened from what they are at first to the recipe's targets (arXiv 2410.09457, section 4).
 *
 * @param seen embedded texts on which the ranges are observed before training
 * @throws CheckpointError if `from` does not fit the model; the reason of an aborted signal
 */
export async function fineTuneModel(
  labelled: LabelledModel,
  rows: readonly Row[],
  text: TextFolder,
  seen: tf.Tensor,
  recipe: FineTuningRecipe,
  events: TrainingEvents,
  from: TrainingState | undefined,
): Promise<void> {
  const { model } = labelled;
  const batchSize = Math.min(recipe.batchSize, rows.length);
  const stepsPerEpoch = Math.floor(rows.length / batchSize);
  const schedule = tightening(labelled, seen, stepsPerEpoch * recipe.epochs, recipe);
  let step = from?.step ?? 0;
  await optimise<readonly Row[]>(
    {
      parameters: modelParameters(model),
      stepsPerEpoch,
      epochBatches: (random) => {
        const order = Array.from(permutation(rows.length, random)).flatMap((index) => rows[index] ?? []);
        return Array.from({ length: stepsPerEpoch }, (_, batch) => order.slice(batch * batchSize, (batch + 1) * batchSize));
      },
      loss: (batch) => {
        const { weight = 1, targets } = schedule(step);
        step += 1;
        return () =>
          tf.tidy(() => {
            const { result, sites } = collectRanges(() => tensorOf(model.apply(embedRows(batch, text), { training: true })));
            const logits = tf.reshape<tf.Rank.R2>(result, [batch.length, -1]);
            const labels = Int32Array.from(batch, ({ label }) => label);
            return tf.add(smoothedCrossEntropy(logits, labels, 0), tf.mul(rangeLoss(sites, { targets }), weight));
          });
      },
    },
    recipe,
    events,
    from,
  );
}

/** Schedule of the range loss, from the ranges that the current weights have to the recipe's targets. */
function tightening({ model, epsilon, normEpsilon }: LabelledModel, seen: tf.Tensor, steps: number, recipe: FineTuningRecipe) {
  const { rangeTargets, rangeLossWeight, tightening: shares } = recipe;
  const targets: RangeLossOptions['targets'] = {
    reciprocal: { upper: rangeTargets.reciprocal * epsilon },
    rsqrt: { upper: rangeTargets.rsqrt * normEpsilon },
    gelu: { lower: -rangeTargets.gelu, upper: rangeTargets.gelu },
  };
  const intervals = observeSites(model, seen).map(({ name, function: kind, min, max }) => ({
    name,
    function: kind,
    interval: [min, max] as const,
  }));
  return tightenRanges({
    start: Math.floor(shares.start * steps),
    steps: Math.max(1, Math.floor(shares.steps * steps)),
    weight: rangeLossWeight,
    targets,
    from: intervals,
  });
}

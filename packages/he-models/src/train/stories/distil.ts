import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { collectRanges, rangeLoss } from 'tfjs-power-softmax';
import type { LlamaCheckpoint } from '../../llama/checkpoint.js';
import type { TrainingState } from '../checkpoint.js';
import { optimise, type TrainingEvents } from '../optimise.js';
import { modelParameters, valuesOf } from '../parameter.js';
import { embedWindows, randomWindows, type Windows } from './story_data.js';
import type { StoryRecipe } from './story_recipe.js';
import type { StoryModels } from './story_student.js';

/**
 * Trains the student in place on windows of `stream` for the epochs of `recipe` that `from` has not completed: cross-entropy against the teacher's
 * distributions, plus the distance to the teacher's residual stream after each block (hidden states as in TinyBERT, arXiv 1909.10351), plus
 * the range loss.
 *
 * @throws CheckpointError if `from` does not fit the student
 */
export async function distil(
  { teacher, student, normEpsilons }: StoryModels,
  checkpoint: LlamaCheckpoint,
  stream: Int32Array,
  recipe: StoryRecipe,
  events: TrainingEvents = {},
  from?: TrainingState,
): Promise<void> {
  const { batchSize, stepsPerEpoch, tokens, hiddenWeight, rangeLossWeight } = recipe;
  const [inTeacher, inStudent] = [withHidden(teacher), withHidden(student)];
  const targets = rangeTargets(normEpsilons, recipe);
  await optimise<Windows>(
    {
      parameters: modelParameters(student),
      stepsPerEpoch,
      epochBatches: (random) => Array.from({ length: stepsPerEpoch }, () => randomWindows(stream, batchSize, tokens, random)),
      loss: (windows) => {
        const expected = outputsOf(inTeacher, embedWindows(windows, checkpoint));
        return () => {
          const { result, sites } = collectRanges(() => outputsOn(inStudent, embedWindows(windows, checkpoint)));
          const { probabilities, hidden } = expected;
          const [logits, states] = [result.at(-1) ?? tf.scalar(0), result.slice(0, -1)];
          const rows = probabilities.length / checkpoint.config.vocabulary;
          const likelihoods = tf.mul(
            tf.tensor(probabilities, [rows, checkpoint.config.vocabulary]),
            tf.logSoftmax(tf.reshape(logits, [rows, checkpoint.config.vocabulary])),
          );
          const distances = states.map((state, index): tf.Tensor => {
            const { values, meanSquare } = hidden[index] ?? { values: new Float32Array(), meanSquare: 1 };
            return tf.mul(tf.mean(tf.square(tf.sub(state, tf.tensor(values, state.shape)))), 1 / meanSquare);
          });
          const likeness = tf.add(tf.div(tf.neg(tf.sum(likelihoods)), rows), tf.mul(tf.addN(distances), hiddenWeight));
          return tf.add<tf.Scalar>(likeness, tf.mul(rangeLoss(sites, { targets }), rangeLossWeight));
        };
      },
    },
    recipe,
    events,
    from,
  );
}

/** What the student is trained towards; plain arrays, as tensors would outlive the step. */
interface Expected {
  /** `[rows * vocabulary]` */
  readonly probabilities: Float32Array;
  /** The residual stream after each block. */
  readonly hidden: readonly { readonly values: Float32Array; readonly meanSquare: number }[];
}

function outputsOf(model: tfl.LayersModel, input: tf.Tensor): Expected {
  const outputs = tf.tidy(() => {
    const all = outputsOn(model, input);
    return [...all.slice(0, -1), tf.softmax(all.at(-1) ?? tf.scalar(0))];
  });
  // Read outside of the tidy, which looks for tensors in every entry of what is returned to it.
  const values = outputs.map(valuesOf);
  tf.dispose([input, ...outputs]);
  const hidden = values.slice(0, -1).map((state) => ({
    values: state,
    meanSquare: state.reduce((sum, value) => sum + value * value, 0) / state.length,
  }));
  return { probabilities: values.at(-1) ?? new Float32Array(), hidden };
}

/** The same model with the outputs of its blocks before its own. */
function withHidden(model: tfl.LayersModel): tfl.LayersModel {
  const blocks = model.layers.filter(({ name }) => name.startsWith('block_')).flatMap(({ output }) => [output].flat());
  return tfl.model({ inputs: model.inputs, outputs: [...blocks, ...model.outputs] });
}

export function outputsOn(model: tfl.LayersModel, input: tf.Tensor): tf.Tensor[] {
  return [model.apply(input, { training: true })].flat().filter((output) => output instanceof tf.Tensor);
}

function rangeTargets(normEpsilons: readonly number[], { rangeTargets: { reciprocal, rsqrt, silu }, epsilon }: StoryRecipe) {
  const norms = normEpsilons.flatMap((normEpsilon, index) => {
    const sites = index === normEpsilons.length - 1 ? ['next/norm'] : [`block_${index}/attention_norm`, `block_${index}/feed_forward_norm`];
    return sites.map((site) => [`${site}/mean_square`, { upper: rsqrt * normEpsilon }] as const);
  });
  return { ...Object.fromEntries(norms), reciprocal: { upper: reciprocal * epsilon }, silu: { lower: -silu, upper: silu } };
}

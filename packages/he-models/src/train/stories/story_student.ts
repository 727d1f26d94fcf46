import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { collectRanges } from 'tfjs-power-softmax';
import type { LlamaCheckpoint } from '../../llama/checkpoint.js';
import { buildLlama, setLlamaWeights } from '../../llama/llama_model.js';
import { valuesOf } from '../parameter.js';
import { embedWindows, type Windows } from './story_data.js';
import type { StoryRecipe } from './story_recipe.js';

export interface StoryModels {
  /** The original: softmax attention. */
  readonly teacher: LayersModel;
  /** Its twin with PowerSoftmax and large epsilons, to be trained. */
  readonly student: LayersModel;
  /** Of the student's normalisations, by block, the last one that of the head. */
  readonly normEpsilons: readonly number[];
  readonly dispose: () => void;
}

/**
 * Teacher, and student with the teacher's weights but for two corrections, which make the start easier: `gamma` makes up for the larger epsilon at the
 * median token, and queries are scaled, head by head, so that the powers of the scores are of the size of PowerSoftmax's epsilon.
 *
 * @param text that medians are taken over
 */
export function storyModels(checkpoint: LlamaCheckpoint, recipe: StoryRecipe, text: Windows): StoryModels {
  const { config } = checkpoint;
  const { tokens, p, epsilon, normEpsilonShare } = recipe;
  const teacher = buildLlama({ config, tokens, attention: 'softmax', name: 'teacher' });
  setLlamaWeights(teacher, checkpoint);
  const levels = medians(teacher, checkpoint, text);
  const normEpsilons = Array.from({ length: config.layers + 1 }, (_, index) => {
    const site = index < config.layers ? `block_${index}/attention_norm/mean_square` : 'next/norm/mean_square';
    return normEpsilonShare * levelOf(levels, site);
  });
  const student = buildLlama({ config, tokens, attention: 'power', p, epsilon, normEpsilons, useBias: true, name: 'student' });
  setLlamaWeights(student, checkpoint);
  normEpsilons.forEach((normEpsilon, index) => {
    const layer = index < config.layers ? `block_${index}` : 'next';
    for (const norm of index < config.layers ? ['attention_norm', 'feed_forward_norm'] : ['norm']) {
      const factor = Math.sqrt(1 + normEpsilon / levelOf(levels, `${layer}/${norm}/mean_square`));
      changeWeight(student, layer, `${norm}/gamma`, (values) => values.map((value) => value * factor));
    }
  });
  for (let index = 0; index < config.layers; index += 1) scaleQueries(student, `block_${index}`, checkpoint, recipe, text);
  return {
    teacher,
    student,
    normEpsilons,
    dispose: () => {
      teacher.dispose();
      student.dispose();
    },
  };
}

/** Block by block, as each changes what the next one sees. */
function scaleQueries(student: LayersModel, block: string, checkpoint: LlamaCheckpoint, recipe: StoryRecipe, text: Windows): void {
  const { heads, features } = checkpoint.config;
  const { p, epsilon, scoreLevel } = recipe;
  const site = `${block}/attention/denominator`;
  const denominators = siteValues(student, checkpoint, text).get(site) ?? new Float32Array();
  const { tokens } = recipe;
  const factors = Array.from({ length: heads }, (_, head) => {
    const ofHead = denominators.filter((_value, index) => Math.floor(index / tokens) % heads === head);
    return ((scoreLevel * epsilon) / (median(ofHead) - epsilon)) ** (1 / p);
  });
  changeWeight(student, block, 'attention/query/kernel', (values) =>
    values.map((value, index) => value * (factors[Math.floor(((index % features) * heads) / features)] ?? 1)),
  );
}

function changeWeight(model: LayersModel, layerName: string, weight: string, change: (values: Float32Array) => Float32Array): void {
  const layer = model.getLayer(layerName);
  tf.tidy(() => {
    const weights = layer.getWeights();
    layer.setWeights(
      layer.weights.map(({ originalName, shape }, index) => {
        const current = weights[index] ?? tf.zeros([]);
        return originalName.endsWith(weight)
          ? tf.tensor(
              change(valuesOf(current)),
              shape.map((size) => size ?? 0),
            )
          : current;
      }),
    );
  });
}

function medians(model: LayersModel, checkpoint: LlamaCheckpoint, text: Windows): ReadonlyMap<string, number> {
  return new Map([...siteValues(model, checkpoint, text)].map(([site, values]) => [site, median(values)]));
}

function siteValues(model: LayersModel, checkpoint: LlamaCheckpoint, text: Windows): ReadonlyMap<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  tf.tidy(() => {
    const { sites } = collectRanges(() => model.predictOnBatch(embedWindows(text, checkpoint)));
    for (const site of sites) values.set(site.name, valuesOf(site.values));
  });
  return values;
}

function levelOf(levels: ReadonlyMap<string, number>, site: string): number {
  const level = levels.get(site);
  if (level === undefined) throw new TypeError(`The teacher reports no ${site}.`);
  return level;
}

function median(values: Float32Array): number {
  return values.toSorted()[values.length >> 1] ?? 0;
}

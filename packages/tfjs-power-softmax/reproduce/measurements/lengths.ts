import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { collectRanges } from 'tfjs-power-softmax';
import { type Corpus, evenWindows, type Windows, windowStarts } from '../corpus.ts';
import { batches, meanLoss } from '../evaluation.ts';
import { type LanguageModel, logitsOf, oneHot } from '../model.ts';
import { finite } from '../training.ts';

export interface LengthConfig {
  /** Multiples of the length in training, in ascending order from 1. */
  readonly multiples: readonly number[];
  /** Windows of validation text, the same places at every length. */
  readonly windows: number;
  /** How far beyond the largest denominator at the length in training an interval made there reaches. */
  readonly margin: number;
}

export const DENOMINATOR_FORMS = ['mean', 'sum'] as const;
export type DenominatorForm = (typeof DENOMINATOR_FORMS)[number];

/** The denominators of one form at one length, over all layers and heads. */
export interface FormRange {
  readonly form: DenominatorForm;
  readonly min: number;
  readonly max: number;
  /** Share beyond the interval made at the length in training, in [0, 1]. */
  readonly beyond: number;
}

export interface LengthMeasurement {
  readonly tokens: number;
  /** Cross-entropy in nats per character; null where it is not finite. */
  readonly loss: number | null;
  /** Empty for attention without denominators. */
  readonly ranges: readonly FormRange[];
}

export interface LengthResult {
  readonly lengths: readonly LengthMeasurement[];
}

/** Denominators of one layer, row-major with the token's index last. */
interface LayerValues {
  readonly site: string;
  readonly values: Record<DenominatorForm, Float32Array>;
}

/**
 * The denominators `mean(s^p) + epsilon` and `sum(s^p) + count * epsilon`, where `count` is the number of visible tokens, of a model at
 * lengths that it was not trained on. Each layer has its own interval.
 */
export function measureLengths({ model }: LanguageModel, corpus: Corpus, config: LengthConfig, tokens: number): LengthResult {
  const bounds = new Map<string, number>();
  const longest = evenWindows(corpus.validation, config.windows, tokens * Math.max(...config.multiples));
  const lengths = config.multiples.map((multiple) => {
    const length = tokens * multiple;
    const windows = windowStarts(longest, length);
    const layers = denominators(model, windows, corpus.vocabulary.length);
    const ranges = layers.length === 0 ? [] : DENOMINATOR_FORMS.map((form) => formRange(form, layers, bounds, config.margin));
    return { tokens: length, loss: finite(meanLoss(model, windows, corpus.vocabulary.length)), ranges };
  });
  return { lengths };
}

/** @param bounds upper ends by site and form; set at the first length, which is that in training */
function formRange(form: DenominatorForm, layers: readonly LayerValues[], bounds: Map<string, number>, margin: number): FormRange {
  let [min, max, beyond, count] = [Number.POSITIVE_INFINITY, 0, 0, 0];
  for (const { site, values } of layers) {
    const key = `${site} ${form}`;
    const layer = values[form];
    const largest = layer.reduce((a, b) => Math.max(a, b), 0);
    const bound = bounds.get(key) ?? margin * largest;
    bounds.set(key, bound);
    min = layer.reduce((a, b) => Math.min(a, b), min);
    max = Math.max(max, largest);
    beyond += layer.reduce((sum, value) => sum + (value > bound ? 1 : 0), 0);
    count += layer.length;
  }
  return { form, min, max, beyond: beyond / count };
}

function denominators(model: LayersModel, windows: Windows, vocabulary: number): LayerValues[] {
  const parts = new Map<string, Float32Array[]>();
  for (const batch of batches(windows)) {
    tf.tidy(() => {
      const { sites } = collectRanges(() => logitsOf(model, oneHot(batch.inputs, batch.count, vocabulary)));
      for (const { name, function: fn, values } of sites) {
        if (fn === 'reciprocal') parts.set(name, [...(parts.get(name) ?? []), values.dataSync<'float32'>()]);
      }
    });
  }
  return [...parts].map(([site, arrays]) => {
    const mean = Float32Array.from(arrays.flatMap((array) => [...array]));
    return { site, values: { mean, sum: mean.map((value, i) => value * ((i % windows.length) + 1)) } };
  });
}

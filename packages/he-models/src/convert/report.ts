import * as tf from '@tensorflow/tfjs-core';
import { type ApproximatedFunction, collectRanges } from 'tfjs-power-softmax';
import type { LlamaConfig } from '../llama/checkpoint.js';
import type { Architecture } from './architecture.js';
import type { ConvertedCheckpoint } from './converted.js';
import type { ModelForm } from './form.js';

/** A function of a model that only a polynomial computes under encryption. */
export interface NonPolynomial {
  /** Layer and place, as `convert --calibration` reports them. */
  readonly site: string;
  readonly function: ApproximatedFunction | 'softmax' | 'tanh';
}

/** What a converted checkpoint is, and what it lacks to run encrypted. */
export interface ConversionReport {
  /** Class of `transformers`, or `llama2.c`. */
  readonly architecture: string;
  readonly form: 'softmax' | 'power';
  readonly tokens: number;
  readonly sizes: Architecture | LlamaConfig;
  /** What is not as in the checkpoint. */
  readonly changed: readonly string[];
  /** Each needs an interval, which is unknown until inputs of a trained model are seen. */
  readonly notPolynomial: readonly NonPolynomial[];
  /** Steps to a polynomial, in order. */
  readonly needs: readonly string[];
}

/** What is not as in the checkpoint, one sentence each. */
export function changesOf(
  { tanhGelu, maxTokens }: Architecture,
  tokens: number,
  form: ModelForm,
  { changes }: ConvertedCheckpoint,
): string[] {
  return [
    ...(form.attention === 'softmax'
      ? []
      : [
          `PowerSoftmax with p = ${form.p} and epsilon = ${form.epsilon} in place of softmax: the model computes something else until trained`,
        ]),
    ...changes,
    ...(tanhGelu ? ['GELU itself in place of its approximation by tanh, which differs from it by at most 5e-4'] : []),
    ...(tokens < maxTokens ? [`${tokens} of ${maxTokens} tokens`] : []),
  ];
}

/** Where the model is no polynomial: what its layers report, and what only the softmax form has. */
export function nonPolynomials({ model }: ConvertedCheckpoint, tokens: number, features: number): readonly NonPolynomial[] {
  // Of the values nothing is used: any input reaches every place.
  const input = tf.ones([1, tokens, features]);
  const { result, sites: reported } = collectRanges(() => model.predictOnBatch(input));
  const sites = reported.map(({ name, function: kind }): NonPolynomial => ({ site: name, function: kind }));
  tf.dispose([input, result, ...reported.map(({ values }) => values)]);
  const others = model.layers.flatMap((layer): readonly NonPolynomial[] => {
    const { attention, activation } = layer.getConfig();
    if (attention === 'softmax') return [{ site: layer.name, function: 'softmax' }];
    return activation === 'tanh' ? [{ site: layer.name, function: 'tanh' }] : [];
  });
  return [...sites, ...others];
}

/** Steps to a polynomial, in order. */
export function needsOf(architecture: Architecture, form: ModelForm): readonly string[] {
  const swap =
    form.attention === 'softmax' ? ['PowerSoftmax in place of softmax: he-models convert of the same folder without --keep-softmax'] : [];
  const training =
    architecture.family === 'gpt_neox'
      ? 'training on texts, with cross-entropy of the next token'
      : 'training on labelled texts: he-models train --task text-classification --from DIR --train FILE.csv, which ends in a polynomial; or your own';
  return [
    ...swap,
    `${training}: openTrainable of he-models/convert gives model, embed and save for model.fit, with withRangeLoss of tfjs-power-softmax on reciprocals, inverse square roots and GELU, until the intervals of a RangeMonitor are narrow`,
    'polynomials in place of these: he-models convert DIR --calibration TEXTS --out POLYNOMIAL, where TEXTS has a text a line',
  ];
}

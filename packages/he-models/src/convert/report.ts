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
  /** Differences from the checkpoint, a sentence each. */
  readonly changed: readonly string[];
  /** Each is approximated on an interval, which is known once the trained model has seen inputs. */
  readonly notPolynomial: readonly NonPolynomial[];
  /** Steps to a polynomial, in order. */
  readonly needs: readonly string[];
}

/** Differences from the checkpoint, a sentence each. */
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
    ...fewerTokens(tokens, maxTokens),
  ];
}

/** The change of a model that takes fewer tokens than the checkpoint has positions for. */
export function fewerTokens(tokens: number, most: number): readonly string[] {
  return tokens < most ? [`texts of at most ${tokens} tokens instead of ${most}`] : [];
}

/** Where the model is no polynomial: what its layers report, and what only the softmax form has. */
export function nonPolynomials({ model }: ConvertedCheckpoint, tokens: number, features: number): readonly NonPolynomial[] {
  // Which functions there are does not depend on the input.
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
export function needsOf(form: ModelForm, family: Architecture['family'] | 'llama2.c'): readonly string[] {
  const swap = form.attention === 'softmax' ? ['PowerSoftmax in place of softmax: he-models convert again, without --keep-softmax'] : [];
  const activation = family === 'llama2.c' ? 'SiLU' : 'GELU';
  const own = `openTrainable of he-models/convert opens the model for model.fit, with withRangeLoss of tfjs-power-softmax until the inputs of reciprocals, inverse square roots and ${activation} lie in narrow intervals`;
  const calibration = 'he-models convert DIR --calibration TEXTS.txt --out POLYNOMIAL, where TEXTS.txt has a text a line';
  if (family === 'gpt_neox' || family === 'llama2.c') {
    const texts = family === 'gpt_neox' ? 'texts' : 'text like its own, which --sample writes';
    return [
      ...swap,
      `training on ${texts}, with the cross-entropy of the next token: ${own}`,
      `polynomials in place of these functions: ${calibration}`,
    ];
  }
  return [
    ...swap,
    'training on labelled texts, and polynomials: he-models train --task text-classification --from DIR --train FILE.csv --out POLYNOMIAL does both',
    `or a training of your own: ${own}; then ${calibration}`,
  ];
}

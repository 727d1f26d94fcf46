import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { collectRanges, toPolynomial } from 'tfjs-power-softmax';
import { corpusOf, evenWindows } from '../reproduce/corpus.ts';
import { meanLoss } from '../reproduce/evaluation.ts';
import { attentionWeights } from '../reproduce/measurements/attention_weights.ts';
import { measureLengths } from '../reproduce/measurements/lengths.ts';
import { localityOf, shrunk } from '../reproduce/measurements/locality.ts';
import { languageModel, logitsOf, type ModelConfig, oneHot } from '../reproduce/model.ts';
import { type TrainConfig, train } from '../reproduce/training.ts';
import { UnscaledRows } from '../reproduce/unscaled_rows.ts';
import { useBackend } from './support/backend.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const corpus = corpusOf('the cat sat on the mat and the dog sat on the log. '.repeat(40));
const SIZE = corpus.vocabulary.length;
const MODEL: ModelConfig = {
  attention: 'power',
  p: 4,
  epsilon: 0.1,
  layers: 2,
  features: 16,
  heads: 2,
  hidden: 16,
  normEpsilon: 0.01,
  tokens: 12,
  seed: 1,
};
const TRAIN: TrainConfig = {
  model: MODEL,
  steps: 40,
  batch: 4,
  learningRate: 0.02,
  warmUp: 5,
  points: 4,
  pointWindows: 8,
  finalWindows: 16,
};

function inputOf(length: number): tf.Tensor3D {
  return oneHot(evenWindows(corpus.train, 3, length).inputs, 3, SIZE);
}

describe('the language model', () => {
  test('does not read later characters, at any length', () => {
    const { model } = languageModel(MODEL, SIZE);
    const long = logitsOf(model, inputOf(20));
    const short = logitsOf(model, tf.slice(inputOf(20), [0, 0, 0], [-1, 7, -1]));
    expect(largestDifference(valuesOf(tf.slice(long, [0, 0, 0], [-1, 7, -1])), valuesOf(short))).toBeLessThan(1e-5);
  });

  test('has a polynomial form that computes the same', () => {
    const { model } = languageModel(MODEL, SIZE);
    const { model: polynomial } = toPolynomial(model, { calibration: inputOf(12), bits: 14, margin: 1.2 });
    expect(largestDifference(valuesOf(logitsOf(polynomial, inputOf(12))), valuesOf(logitsOf(model, inputOf(12))))).toBeLessThan(1e-2);
  });

  test('learns, and learns the same again', () => {
    const steps: number[] = [];
    const { result } = train(TRAIN, corpus, (step) => steps.push(step));
    expect(steps).toEqual([10, 20, 30, 40]);
    expect(result.divergedAt).toBeNull();
    expect(result.validationLoss!).toBeLessThan(result.curve[0]!.validationLoss! - 0.3);
    expect(train(TRAIN, corpus, () => {}).result).toEqual(result);
  });

  test('says when training diverges', () => {
    const { result } = train({ ...TRAIN, learningRate: 1e30, warmUp: 0 }, corpus, () => {});
    expect(result.divergedAt).toBeGreaterThan(0);
    expect(result.validationLoss).toBeNull();
  });

  test('has a smaller denominator after training with the range loss', () => {
    const largest = (config: TrainConfig): number => {
      const { model } = train(config, corpus, () => {}).model;
      const { sites } = collectRanges(() => logitsOf(model, inputOf(12)));
      return Math.max(...sites.filter((site) => site.function === 'reciprocal').map(({ values }) => Math.max(...values.dataSync())));
    };
    expect(largest({ ...TRAIN, range: { weight: 0.1, targets: { reciprocal: { upper: 0.5 } } } })).toBeLessThan(largest(TRAIN) / 2);
  });
});

test('the mean loss of an untrained model with equal logits is the logarithm of the vocabulary', () => {
  const { model } = languageModel(MODEL, SIZE);
  model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight)));
  expect(meanLoss(model, evenWindows(corpus.validation, 5, 12), SIZE)).toBeCloseTo(Math.log(SIZE), 5);
});

test('rows without normalisation are multiplied by the root of what they see', () => {
  const scaled = new UnscaledRows({}).apply(tf.ones([2, 3, 2])) as tf.Tensor;
  expect(largestDifference(valuesOf(tf.slice(scaled, [1, 0, 1], [1, 3, 1])), [1, Math.SQRT2, Math.sqrt(3)])).toBeLessThan(1e-6);
});

describe.each(['power', 'softmax'] as const)('weights of %s attention', (attention) => {
  const language = languageModel({ ...MODEL, attention }, SIZE);
  const [layer] = language.attention;

  test('applied to the values give what the layer gives', () => {
    const x = normal([2, 12, 16], 3);
    const { value, output } = layer!.attentionWeights();
    const values = tf.transpose(tf.reshape(tf.matMul(tf.reshape(x, [24, 16]), value.kernel), [2, 12, 2, 8]), [0, 2, 1, 3]);
    const attended = tf.matMul(attentionWeights(layer!, x as tf.Tensor3D), values);
    const merged = tf.reshape<tf.Rank.R2>(tf.transpose(attended, [0, 2, 1, 3]), [24, 16]);
    const expected = valuesOf(layer!.apply(x) as tf.Tensor);
    expect(largestDifference(valuesOf(tf.add(tf.matMul(merged, output.kernel), output.bias!)), expected)).toBeLessThan(1e-5);
  });

  test('are of the layer that the attention inputs lead to', () => {
    const [first] = language.attentionInputs.apply(inputOf(12)) as tf.Tensor[];
    const { sites } = collectRanges(() => layer!.apply(first!));
    const { sites: own } = collectRanges(() => logitsOf(language.model, inputOf(12)));
    const values = (all: typeof sites) => all.find(({ name }) => name === 'layer_0/attention/denominator')?.values;
    if (attention === 'power') expect(largestDifference(valuesOf(values(sites)!), valuesOf(values(own)!))).toBeLessThan(1e-5);
    else expect(sites).toHaveLength(0);
  });
});

describe('locality', () => {
  test('of weights at a fixed distance is that distance', () => {
    const tokens = 6;
    const shifted = Array.from({ length: tokens * tokens }, (_, k) => (Math.floor(k / tokens) - (k % tokens) === 2 ? 0.7 : 0));
    expect(localityOf(shifted, tokens, 2)).toEqual({ distance: 2, mass: 0 });
    expect(localityOf(shifted, tokens, 3)).toEqual({ distance: 2, mass: 1 });
  });

  test('of uniform weights is half a row, averaged', () => {
    const { distance, mass } = localityOf(new Float64Array(25).fill(1), 5, 1);
    expect(distance).toBeCloseTo(1, 12);
    expect(mass).toBeCloseTo((1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 5, 12);
  });

  test('is drawn by averages over cells', () => {
    expect(shrunk([1, 0, 0, 0, 0.5, 0.5, 0, 0, 0.2, 0.3, 0.5, 0, 0.1, 0.2, 0.3, 0.4], 4, 2)).toEqual([
      [0.5, 0],
      [0.2, 0.3],
    ]);
  });
});

test('a sum over n visible characters is n times their mean, so that only its interval grows with the length', () => {
  const config = { multiples: [1, 2, 4], windows: 3, margin: 1.1 };
  const { lengths } = measureLengths(languageModel(MODEL, SIZE), corpus, config, 12);
  expect(lengths.map(({ tokens }) => tokens)).toEqual([12, 24, 48]);
  const [mean, sum] = (['mean', 'sum'] as const).map((form) => lengths.map(({ ranges }) => ranges.find((range) => range.form === form)!));
  expect(mean!.map(({ beyond }) => beyond)[0]).toBe(0);
  expect(sum!.map(({ beyond }) => beyond)).toEqual([0, expect.any(Number), expect.any(Number)]);
  expect(sum![2]!.max).toBeGreaterThan(2 * sum![0]!.max);
  expect(mean![2]!.max).toBeLessThan(2 * mean![0]!.max);
  expect(sum![2]!.beyond).toBeGreaterThan(mean![2]!.beyond);
});

import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type DecoderStep,
  decoderStep,
  EncoderBlock,
  type EncoderBlockArgs,
  LanguageModelHead,
  LearnedPositions,
  toPolynomial,
  UnsupportedLayerError,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { BLOCK, classifier, FEATURES, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const UNITS = 5;
const calibration = normal([60, TOKENS, FEATURES], 17, 0.7);

function decoder(args: Partial<EncoderBlockArgs>, tokens = TOKENS): tfl.LayersModel {
  const x = tfl.input({ shape: [tokens, FEATURES], name: 'embedded' });
  const blocks = [0, 1].map((index) => new EncoderBlock({ ...BLOCK, causal: true, ...args, name: `block_${index}`, seed: 7 + index }));
  const encoded = blocks.reduce((y, block) => block.apply(y) as tfl.SymbolicTensor, x);
  const head = new LanguageModelHead({ name: 'next', units: UNITS, normEpsilon: 0.3, seed: 9 });
  return tfl.model({ inputs: x, outputs: head.apply(encoded) as tfl.SymbolicTensor });
}

/** Outputs of the steps for the rows of `x [1, count, FEATURES]`, one after the other. */
function stepThrough({ model, states, share }: DecoderStep, x: tf.Tensor): number[] {
  return tf.tidy(() => {
    const outputs: number[] = [];
    let state: tf.Tensor[] = states.map(({ shape }) => tf.zeros([...shape]));
    for (let position = 0; position < (x.shape[1] ?? 0); position++) {
      const token = tf.slice(x, [0, position, 0], [1, 1, -1]);
      const results = model.predictOnBatch([token, tf.fill([1, 1, 1], share(position)), ...state]) as tf.Tensor[];
      outputs.push(...results[0]!.dataSync());
      state = states.map(({ output }) => results[output]!);
    }
    return outputs;
  });
}

describe.each<[string, Partial<EncoderBlockArgs>]>([
  ['rotary, RMSNorm, SwiGLU', { rotary: true, norm: 'rms', normFirst: true, activation: 'swiglu', useBias: true }],
  ['without positions, after the residual', {}],
  ['rotary in part, shared heads, p = 2', { rotary: true, rotaryDim: 2, rotaryBase: 100, keyValueHeads: 1, p: 2, normFirst: true }],
])('the step of a decoder: %s', (_, args) => {
  const { model } = toPolynomial(decoder(args), { calibration, bits: 6 });
  const step = decoderStep(model);

  test('gives what the model gives, token by token', () => {
    const x = normal([1, TOKENS, FEATURES], 3, 0.7);
    expect(largestDifference(stepThrough(step, x), valuesOf(model.predictOnBatch(x) as tf.Tensor))).toBeLessThan(1e-4);
  });

  test('has caches that no level is spent on', () => {
    const state = step.states.map(({ shape }, i) => normal([...shape], i));
    const inputs = [normal([1, 1, FEATURES], 1), tf.ones([1, 1, 1]), ...state];
    const results = step.model.predictOnBatch(inputs) as tf.Tensor[];
    const sum = tf.add(state[0]!, state[1]!);
    const rows = tf.split(sum, TOKENS, 1);
    const moved = tf.concat([rows.at(-1)!, ...rows.slice(0, -1)], 1);
    expect(valuesOf(results[step.states[0]!.output]!)).toEqual(valuesOf(moved));
  });
});

describe('beyond the context', () => {
  test('every token sees the last ones', () => {
    // One layer: there is nothing about older tokens in the rows of the last ones.
    const one = (tokens: number): tfl.LayersModel => {
      const x = tfl.input({ shape: [tokens, FEATURES], name: 'embedded' });
      return tfl.model({ inputs: x, outputs: new EncoderBlock({ ...BLOCK, causal: true, rotary: true }).apply(x) as tfl.SymbolicTensor });
    };
    const { model } = toPolynomial(one(TOKENS), { calibration, bits: 6 });
    const x = normal([1, TOKENS + 3, FEATURES], 5, 0.7);
    const window = tf.slice(x, [0, 3, 0], [1, TOKENS, -1]);
    const expected = valuesOf(model.predictOnBatch(window) as tf.Tensor).slice(-FEATURES);
    expect(largestDifference(stepThrough(decoderStep(model), x).slice(-FEATURES), expected)).toBeLessThan(1e-4);
  });
});

test('a second step in a process has the same names', () => {
  const { model } = toPolynomial(decoder({}), { calibration, bits: 6 });
  const names = () => decoderStep(model).states.map(({ name }) => name);
  expect(names()).toEqual(names());
  expect(decoderStep(model).model.inputNames.slice(2)).toEqual(names());
});

test('a step can be saved and loaded', async () => {
  const step = decoderStep(toPolynomial(decoder({ rotary: true, normFirst: true }), { calibration, bits: 6 }).model);
  const x = normal([1, 3, FEATURES], 4, 0.7);
  expect(stepThrough({ ...step, model: await roundTrip(step.model) }, x)).toEqual(stepThrough(step, x));
});

describe('refuses', () => {
  const inputs = { calibration, bits: 6 };

  test('attention to tokens that come later', () => {
    const { model } = toPolynomial(decoder({ causal: false }), inputs);
    expect(() => decoderStep(model)).toThrow(UnsupportedLayerError);
  });

  test('a model that pools its tokens, by the name of the layer', () => {
    expect(() => decoderStep(toPolynomial(classifier({ causal: true }), inputs).model)).toThrow(/pool/);
  });

  test('positions that are learned', () => {
    const x = tfl.input({ shape: [TOKENS, FEATURES], name: 'embedded' });
    const placed = new LearnedPositions({ name: 'positions', maxTokens: TOKENS }).apply(x) as tfl.SymbolicTensor;
    const block = new EncoderBlock({ ...BLOCK, causal: true }).apply(placed) as tfl.SymbolicTensor;
    expect(() => decoderStep(toPolynomial(tfl.model({ inputs: x, outputs: block }), inputs).model)).toThrow(/positions/);
  });
});

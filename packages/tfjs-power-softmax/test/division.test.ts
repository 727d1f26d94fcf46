import { describe, expect, test } from '@jest/globals';
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  assertIntervals,
  type DivisionPlace,
  divisionCosts,
  formatReport,
  InvalidArgumentError,
  MultiHeadAttention,
  polynomialReport,
  toPolynomial,
} from '../src/index.js';
import { cheapestDivision } from '../src/polynomial/division.js';
import { useBackend } from './support/backend.js';
import { classifier, FEATURES, paddedExamples, roundTrip, TOKENS } from './support/models.js';
import { largestDifference, normal, valuesOf } from './support/reference.js';

await useBackend('wasm');

const KEYS = 2;
const { x } = paddedExamples(60, 5);
const predict = (of: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[]) => valuesOf(of.predictOnBatch(inputs) as tf.Tensor);

const size = fc.integer({ min: 1, max: 512 });
const shapes = fc.record({ queries: size, keys: size, keyDim: size, reciprocalDepth: fc.integer({ min: 1, max: 12 }) });

describe('the cost of dividing', () => {
  test('is a level less for outputs than for weights, whatever the shape, so that these are chosen', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { outputs, weights } = divisionCosts(shape);
        expect(weights.depth - outputs.depth).toBe(1);
        expect(cheapestDivision(shape)).toBe('outputs');
      }),
      { seed: 4 },
    );
  });

  test('is in products what is multiplied', () => {
    const { outputs, weights } = divisionCosts({ queries: 6, keys: 2, keyDim: 4, reciprocalDepth: 4 });
    expect([outputs, weights]).toEqual([
      { depth: 5, products: 24 },
      { depth: 6, products: 12 },
    ]);
  });
});

describe.each<DivisionPlace>(['outputs', 'weights'])('dividing the %s', (division) => {
  test.each([{}, { causal: true }])('gives the values of the model (%j)', async (args) => {
    const model = classifier(args);
    const { model: polynomial } = toPolynomial(model, { calibration: x, bits: 18, division });
    expect(largestDifference(predict(polynomial, x), predict(model, x))).toBeLessThan(1e-4);
    expect(predict(await roundTrip(polynomial), x)).toEqual(predict(polynomial, x));
    assertIntervals(polynomial, x);
  });

  test('is reported with the costs of both, also by a loaded model', async () => {
    const { model, report } = toPolynomial(classifier(), { calibration: x, division });
    const [site, ...others] = report.sites;
    const costs = divisionCosts({ queries: TOKENS, keys: TOKENS, keyDim: 4, reciprocalDepth: site!.depth });
    expect(site!.division).toEqual({ place: division, costs });
    expect(others.map((other) => other.division)).toEqual([undefined, undefined, undefined]);
    expect(polynomialReport(await roundTrip(model))).toEqual(report);
    expect(formatReport(report)).toContain(`${division}, ${costs[division].depth} levels`);
  });
});

test('without an option the outputs are divided', () => {
  const { report } = toPolynomial(classifier(), { calibration: x });
  expect(report.sites[0]!.division!.place).toBe('outputs');
});

test('counts the keys of a memory', () => {
  const inputs = [tfl.input({ shape: [TOKENS, FEATURES] }), tfl.input({ shape: [KEYS, FEATURES] })];
  const attention = new MultiHeadAttention({ numHeads: 2, keyDim: 4, epsilon: 0.5, seed: 2 });
  const model = tfl.model({ inputs, outputs: attention.apply(inputs) as tfl.SymbolicTensor });
  const calibration = [x, normal([60, KEYS, FEATURES], 6, 0.5)];
  const { outputs, weights } = toPolynomial(model, { calibration }).report.sites[0]!.division!.costs;
  expect([outputs.products, weights.products]).toEqual([TOKENS * 4, TOKENS * KEYS]);
});

test('rejects another place', () => {
  expect(() => toPolynomial(classifier(), { calibration: x, division: 'scores' as DivisionPlace })).toThrow(InvalidArgumentError);
});

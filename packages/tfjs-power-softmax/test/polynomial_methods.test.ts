import { describe, expect, test } from '@jest/globals';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {
  approximate,
  checkIntervals,
  formatReport,
  InvalidArgumentError,
  type IterationMethod,
  PolynomialNorm,
  polynomialReport,
  toPolynomial,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { classifier, paddedExamples, roundTrip } from './support/models.js';
import { largestDifference, valuesOf } from './support/reference.js';

await useBackend('wasm');

const { x } = paddedExamples(100, 61);

function predict(model: tfl.LayersModel): number[] {
  return valuesOf(model.predictOnBatch(x) as tf.Tensor);
}

describe.each<IterationMethod>(['goldschmidt', 'adaptive-goldschmidt', 'newton'])('a model converted by %s', (method) => {
  test('approaches the model as the accuracy rises', () => {
    const model = classifier();
    const errors = [6, 14].map((bits) =>
      largestDifference(predict(toPolynomial(model, { calibration: x, bits, method }).model), predict(model)),
    );
    expect(errors[0]).toBeLessThan(2 ** -4);
    expect(errors[1]).toBeLessThan(2 ** -12);
  });

  test('reports steps, depth and errors, and takes minimax for gelu and where a degree is given', () => {
    const { report } = toPolynomial(classifier(), { calibration: x, bits: 9, method, degrees: { 'block_0/attention_norm/variance': 5 } });
    const methods = Object.fromEntries(report.sites.map((site) => [site.site, site.method]));
    expect(methods).toEqual({
      'block_0/attention/denominator': method,
      'block_0/attention_norm/variance': 'minimax',
      'block_0/feed_forward/activation': 'minimax',
      'block_0/feed_forward_norm/variance': method,
    });
    const [denominator] = report.sites;
    expect(denominator!.steps).toBeGreaterThan(1);
    expect(denominator!.depth).toBeGreaterThanOrEqual(denominator!.steps!);
    expect(denominator!.calibration.maxError).toBeLessThanOrEqual(2 ** -9);
    const [header, first] = formatReport(report).split('\n');
    expect(first!.slice(header!.indexOf('method'))).toMatch(new RegExp(`^${method} +${denominator!.steps} steps`));
    expect(first!.slice(header!.indexOf('degree'))).toMatch(/^\d+ steps/);
  });

  test('predicts and reports the same after saving and loading, and checks its intervals', async () => {
    const { model, report } = toPolynomial(classifier(), { calibration: x, bits: 9, method });
    const loaded = await roundTrip(model);
    expect(predict(loaded)).toEqual(predict(model));
    expect(polynomialReport(loaded)).toEqual(report);
    expect(checkIntervals(loaded, x).every((check) => check.inside)).toBe(true);
  });
});

describe('by default', () => {
  test('every site gets the cheapest method for bits', () => {
    const { report } = toPolynomial(classifier({ epsilon: 0.01 }), { calibration: x, bits: 8 });
    for (const { function: name, interval, method, depth, products, maxError } of report.sites) {
      expect(approximate(name, interval, { bits: 8, method: 'auto' })).toMatchObject({ method, depth, products, maxError });
      expect(maxError).toBeLessThanOrEqual(2 ** -8);
    }
    expect(report.sites.map((site) => site.method)).toEqual(['composite', 'minimax', 'minimax', 'minimax']);
  });

  test('a site with a degree gets the minimax polynomial of that degree', () => {
    const { report } = toPolynomial(classifier(), { calibration: x, degrees: { reciprocal: 9, rsqrt: 7, gelu: 5 } });
    expect(report.sites.map((site) => [site.method, site.degree])).toEqual([
      ['minimax', 9],
      ['minimax', 7],
      ['minimax', 5],
      ['minimax', 7],
    ]);
  });
});

test.each([
  ['no steps', { steps: undefined }],
  ['too many steps', { steps: 99 }],
  ['coefficients', { coefficients: [1, 2] }],
  ['an unknown method', { method: 'bisection' }],
  ['an interval across the pole', { interval: [-1, 1] }],
])('a configuration of an iteration with %s is refused', (_, change) => {
  const { report } = toPolynomial(classifier(), { calibration: x, method: 'newton' });
  const { site: _site, layer: _layer, kappa: _kappa, ...approximation } = report.sites[1]!;
  expect(() => new PolynomialNorm({ epsilon: 0.3, approximation })).not.toThrow();
  // The configuration may come from a file, so its type is not to be trusted.
  const broken = { ...approximation, ...change } as unknown as typeof approximation;
  expect(() => new PolynomialNorm({ epsilon: 0.3, approximation: broken })).toThrow(InvalidArgumentError);
});

import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { costOf } from '../src/approximation/cost.js';
import { tensorAlgebra } from '../src/approximation/tensor_algebra.js';
import {
  approximate,
  checkIntervals,
  evaluateApproximation,
  evaluateOver,
  formatReport,
  InvalidArgumentError,
  PolynomialNorm,
  polynomialReport,
  toPolynomial,
  variableMap,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { classifier, paddedExamples, roundTrip } from './support/models.js';
import { largestDifference, valuesOf } from './support/reference.js';

await useBackend('cpu');

const { x } = paddedExamples(60, 81);
const method = 'composite';

describe('composite minimax for 1/x', () => {
  test('is the best polynomial of its degree 3 * 2^n - 1', () => {
    for (const kappa of [1.5, 10, 300]) {
      for (const steps of [1, 2, 3, 4]) {
        const { degree, maxError } = approximate('reciprocal', [0.3, 0.3 * kappa], { method, degree: 2, steps });
        expect(degree).toBe(3 * 2 ** steps - 1);
        const best = 1 / Math.cosh((degree + 1) * Math.acosh((kappa + 1) / (kappa - 1)));
        expect(Math.abs(maxError - best)).toBeLessThan(1e-9 * best + 1e-14);
      }
    }
  });

  test('has the values of the minimax polynomial of that degree', () => {
    const [composite, minimax] = [{ method, degree: 2, steps: 2 } as const, { degree: 11 }].map((options) =>
      approximate('reciprocal', [0.4, 20], options),
    );
    for (const point of [0.4, 0.9, 3, 11, 20]) {
      expect(evaluateApproximation(composite!, point)).toBeCloseTo(evaluateApproximation(minimax!, point), 9);
    }
  });

  test('takes a product less than adaptive Goldschmidt at the same depth, and none for a factor', () => {
    for (const steps of [1, 2, 4]) {
      const composite = approximate('reciprocal', [1, 30], { method, degree: 2, steps });
      const adaptive = approximate('reciprocal', [1, 30], { method: 'adaptive-goldschmidt', steps: steps + 2 });
      expect([composite.depth, composite.products]).toEqual([adaptive.depth, adaptive.products - 1]);
      const cost = costOf((counter, variable) => evaluateOver(counter, composite, variable, 5));
      expect(cost).toEqual({ depth: composite.depth, products: composite.products });
    }
  });

  test('has the same values on tensors, to float32', () => {
    const approximation = approximate('reciprocal', [0.5, 40], { method, bits: 14 });
    const points = Array.from({ length: 40 }, (_, i) => 0.5 + i);
    const { slope, offset } = variableMap(approximation);
    const u = tf.tensor1d(points.map((point) => slope * point + offset));
    const expected = points.map((point) => 3 * evaluateApproximation(approximation, point));
    expect(largestDifference(valuesOf(evaluateOver<tf.Tensor>(tensorAlgebra, approximation, u, 3)), expected)).toBeLessThan(2e-5);
  });

  test.each([{ method, degree: 3, steps: 2 }, { method, steps: 2 }, { method, degree: 2, steps: 33 }, { method }] as const)(
    'with %j is refused',
    (options) => {
      expect(() => approximate('reciprocal', [1, 9], options)).toThrow(InvalidArgumentError);
    },
  );
});

describe('composite minimax for 1/sqrt(x)', () => {
  test('is its first stage followed by Newton steps from optimally scaled values', () => {
    const interval = [0.2, 90] as const;
    const first = approximate('rsqrt', interval, { degree: 7 });
    // Each stage leaves y sqrt(x) in [1 - e, 1 + e] and is rescaled for r = x y^2 in [ratio s, s] to meet at both ends.
    let error = first.maxError;
    for (let steps = 1; steps <= 4; steps++) {
      const ratio = ((1 - error) / (1 + error)) ** 2;
      const s = 3 / (1 + Math.sqrt(ratio) + ratio);
      const lowest = (Math.sqrt(s) * (3 - s)) / 2;
      error = (1 - lowest) / (1 + lowest);
      expect(approximate('rsqrt', interval, { method, degree: 7, steps }).maxError).toBeCloseTo(error, 5);
    }
  });

  test('states an error that no point of the interval exceeds', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2, max: 1e4, noNaN: true }),
        fc.constantFrom(3, 7, 15),
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (kappa, degree, steps, position) => {
          const approximation = approximate('rsqrt', [0.1, 0.1 * kappa], { method, degree, steps });
          const point = 0.1 * kappa ** position;
          const error = Math.abs(evaluateApproximation(approximation, point) * Math.sqrt(point) - 1);
          expect(error).toBeLessThanOrEqual(approximation.maxError * 1.01 + 1e-9);
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });

  test('takes two levels and three products a step, and none for a factor', () => {
    const first = approximate('rsqrt', [1, 500], { degree: 15 });
    for (const steps of [1, 2, 3]) {
      const approximation = approximate('rsqrt', [1, 500], { method, degree: 15, steps });
      const { depth, products } = approximation;
      expect([depth, products]).toEqual([first.depth + 2 * steps, first.products + 3 * steps]);
      expect(costOf((counter, variable) => evaluateOver(counter, approximation, variable, 5))).toEqual({ depth, products });
    }
  });

  test('has the same values on tensors, to float32', () => {
    const approximation = approximate('rsqrt', [0.5, 40], { method, bits: 14 });
    const points = Array.from({ length: 40 }, (_, i) => 0.5 + i);
    const { slope, offset } = variableMap(approximation);
    const u = tf.tensor1d(points.map((point) => slope * point + offset));
    const expected = points.map((point) => 3 * evaluateApproximation(approximation, point));
    expect(largestDifference(valuesOf(evaluateOver<tf.Tensor>(tensorAlgebra, approximation, u, 3)), expected)).toBeLessThan(2e-5);
  });

  test('is chosen on wide intervals, where it is less deep than steps alone', () => {
    const chosen = approximate('rsqrt', [1, 1e3], { bits: 10, method: 'auto' });
    expect(chosen.method).toBe(method);
    expect(chosen.maxError).toBeLessThanOrEqual(2 ** -10);
    expect(chosen.depth).toBeLessThan(approximate('rsqrt', [1, 1e3], { bits: 10, method: 'adaptive-goldschmidt' }).depth);
  });

  test.each([
    ['gelu', { method, bits: 8 }],
    ['rsqrt', { method, degree: 7 }],
    ['rsqrt', { method, steps: 2 }],
    ['rsqrt', { method, degree: 7, steps: 0 }],
    ['rsqrt', { method }],
  ] as const)('%s with %j is refused', (name, options) => {
    expect(() => approximate(name, [1, 9], options)).toThrow(InvalidArgumentError);
  });
});

describe('a model converted by composites', () => {
  const { model, report } = toPolynomial(classifier(), { calibration: x, bits: 12, method });

  test('approaches the model, by minimax for gelu', () => {
    const expected = valuesOf(classifier().predictOnBatch(x) as tf.Tensor);
    expect(largestDifference(valuesOf(model.predictOnBatch(x) as tf.Tensor), expected)).toBeLessThan(2 ** -9);
    expect(report.sites.map((site) => site.method)).toEqual([method, method, 'minimax', method]);
    const { coefficients, steps } = report.sites[1]!;
    expect(formatReport(report)).toContain(`${coefficients.length - 1}, ${steps} steps`);
    expect(formatReport(report)).toContain(`2, ${report.sites[0]!.steps} steps`);
  });

  test('predicts and reports the same after saving and loading', async () => {
    const loaded = await roundTrip(model);
    expect(valuesOf(loaded.predictOnBatch(x) as tf.Tensor)).toEqual(valuesOf(model.predictOnBatch(x) as tf.Tensor));
    expect(polynomialReport(loaded)).toEqual(report);
    expect(checkIntervals(loaded, x).every((check) => check.inside)).toBe(true);
  });

  test('has its configuration checked', () => {
    const { site: _site, layer: _layer, kappa: _kappa, ...approximation } = report.sites[1]!;
    expect(() => new PolynomialNorm({ epsilon: 0.3, approximation })).not.toThrow();
    for (const change of [{ coefficients: [] }, { steps: 0 }, { coefficients: [1, Number.NaN] }]) {
      expect(() => new PolynomialNorm({ epsilon: 0.3, approximation: { ...approximation, ...change } })).toThrow(InvalidArgumentError);
    }
  });
});

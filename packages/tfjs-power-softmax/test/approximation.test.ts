import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { chebyshevInterpolant, clenshaw } from '../src/approximation/chebyshev.js';
import { cheapestBabySteps } from '../src/approximation/cost.js';
import { chebyshevDepth } from '../src/approximation/evaluate.js';
import { erf } from '../src/approximation/functions.js';
import {
  ApproximationError,
  approximate,
  chebyshevPolynomial,
  evaluateApproximation,
  evaluateChebyshev,
  evaluationCost,
  InvalidArgumentError,
  minimaxPolynomial,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { numberAlgebra } from './support/number_algebra.js';
import { largestDifference, valuesOf } from './support/reference.js';

beforeAll(() => useBackend('cpu'));

const coefficient = fc.oneof(
  { weight: 3, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const coefficients = fc.array(coefficient, { minLength: 2, maxLength: 64 });
const unit = fc.double({ min: -1, max: 1, noNaN: true });
const runs = { numRuns: 200, seed: 1 };

describe('depth-optimal evaluation', () => {
  test('equals Clenshaw for any coefficients and baby steps', () => {
    fc.assert(
      fc.property(coefficients, unit, fc.constantFrom(2, 4, 8, 16), (c, u, babySteps) => {
        expect(evaluateChebyshev(numberAlgebra, c, u, babySteps)).toBeCloseTo(clenshaw(c, u), 9);
      }),
      runs,
    );
  });

  test('never needs more than ceil(log2(degree + 1)) levels', () => {
    fc.assert(
      fc.property(coefficients, fc.constantFrom(2, 4, 8, 16), (c, babySteps) => {
        expect(evaluationCost(c, babySteps).depth).toBeLessThanOrEqual(Math.max(1, chebyshevDepth(c.length - 1)));
      }),
      runs,
    );
  });

  test.each([
    [3, 2, 2],
    [7, 3, 5],
    [15, 4, 8],
    [31, 5, 13],
  ])('degree %i takes %i levels and %i products', (degree, depth, products) => {
    const c = Array.from({ length: degree + 1 }, (_, k) => 1 / (k + 1));
    expect(cheapestBabySteps(c).cost).toEqual({ depth, products });
  });

  test('on tensors has the values of Clenshaw', () => {
    const c = [0.3, -1, 0.5, 0.25, -0.125, 0, 0.3, 0.1, -0.2];
    const u = Array.from({ length: 21 }, (_, i) => -1 + i / 10);
    expect(
      largestDifference(
        valuesOf(chebyshevPolynomial(c, tf.tensor1d(u))),
        u.map((x) => clenshaw(c, x)),
      ),
    ).toBeLessThan(1e-6);
  });
});

describe('minimax approximation', () => {
  test('of 1/x reaches the known best relative error 1 / T_(n+1)((kappa + 1) / (kappa - 1))', () => {
    for (const kappa of [5, 30]) {
      for (const degree of [3, 7, 15]) {
        const best = 1 / Math.cosh((degree + 1) * Math.acosh((kappa + 1) / (kappa - 1)));
        const { maxError } = minimaxPolynomial((x) => 1 / x, [0.1, 0.1 * kappa], degree, 'relative');
        expect(maxError / best).toBeCloseTo(1, 5);
      }
    }
  });

  test('of 1/sqrt(x) equioscillates on degree + 2 points', () => {
    const interval = [0.3, 6] as const;
    const { coefficients: c, reference, levelledError } = minimaxPolynomial((x) => 1 / Math.sqrt(x), interval, 9, 'relative');
    const errors = reference.map((x) => 1 - evaluateApproximation({ coefficients: c, interval }, x) * Math.sqrt(x));
    expect(reference).toHaveLength(11);
    const signs = errors.map((_, i) => (i % 2 === 0 ? 1 : -1) * Math.sign(errors[0]!));
    for (const [i, error] of errors.entries()) expect((error * signs[i]!) / levelledError).toBeCloseTo(1, 4);
  });

  test('of exp on [-1, 1] has the tabulated error of degree 2', () => {
    // Best quadratic approximation of exp on [-1, 1]: 0.04501 (Powell, Approximation Theory and Methods).
    expect(minimaxPolynomial(Math.exp, [-1, 1], 2, 'absolute').maxError).toBeCloseTo(0.04501, 4);
  });

  test('is never worse than Chebyshev interpolation', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('reciprocal', 'rsqrt', 'gelu' as const),
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 2, max: 50, noNaN: true }),
        (name, degree, kappa) => {
          const interval = name === 'gelu' ? ([-kappa / 8, kappa / 6] as const) : ([0.2, 0.2 * kappa] as const);
          const best = approximate(name, interval, { degree }).maxError;
          const interpolated = approximate(name, interval, { degree, method: 'chebyshev' }).maxError;
          expect(best).toBeLessThanOrEqual(interpolated * 1.001 + 1e-12);
        },
      ),
      { numRuns: 60, seed: 2 },
    );
  });
});

describe('approximate', () => {
  test('states an error that random points do not exceed', () => {
    const approximation = approximate('rsqrt', [0.5, 10], { degree: 7 });
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 10, noNaN: true }), (x) => {
        expect(Math.abs(evaluateApproximation(approximation, x) * Math.sqrt(x) - 1)).toBeLessThanOrEqual(approximation.maxError * 1.001);
      }),
      runs,
    );
  });

  test('takes the lowest degree that reaches the accuracy', () => {
    const { degree, maxError } = approximate('reciprocal', [1, 20], { bits: 10 });
    expect(maxError).toBeLessThanOrEqual(2 ** -10);
    expect(approximate('reciprocal', [1, 20], { degree: degree - 1 }).maxError).toBeGreaterThan(2 ** -10);
  });

  test('drops the odd coefficients of gelu - x/2 on a symmetric interval', () => {
    const { coefficients: c } = approximate('gelu', [-4, 4], { degree: 15 });
    expect(c.filter((value, k) => k % 2 === 1 && k > 1 && value !== 0)).toEqual([]);
    expect(c[1]).toBeCloseTo(2, 6);
  });

  test('says what to do where no degree suffices', () => {
    expect(() => approximate('reciprocal', [1e-4, 1], { bits: 12 })).toThrow(ApproximationError);
    expect(() => approximate('reciprocal', [1e-4, 1], { bits: 12 })).toThrow(/larger epsilon/);
  });

  test.each([
    ['an interval across the pole', [-1, 1] as const, { degree: 3 }],
    ['an empty interval', [2, 2] as const, { degree: 3 }],
    ['degree 0', [1, 2] as const, { degree: 0 }],
    ['degree 64', [1, 2] as const, { degree: 64 }],
    ['neither degree nor bits', [1, 2] as const, {}],
  ])('rejects %s', (_, interval, options) => {
    expect(() => approximate('reciprocal', interval, options)).toThrow(InvalidArgumentError);
  });
});

test('interpolation reproduces polynomials', () => {
  const cubic = (x: number): number => 2 - x + 3 * x ** 2 - 0.5 * x ** 3;
  const interval = [-1, 3] as const;
  const c = chebyshevInterpolant(cubic, interval, 3);
  for (const x of [-1, 0.2, 2.5]) expect(evaluateApproximation({ coefficients: c, interval }, x)).toBeCloseTo(cubic(x), 12);
});

test('erf has its tabulated values', () => {
  // DLMF table 7.24 / NIST.
  expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 14);
  expect(erf(2)).toBeCloseTo(0.9953222650189527, 14);
  expect(erf(-3.5)).toBeCloseTo(-0.9999992569016276, 14);
});

import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { costOf } from '../src/approximation/cost.js';
import { tensorAlgebra } from '../src/approximation/tensor_algebra.js';
import {
  type ApproximatedFunction,
  ApproximationError,
  approximate,
  evaluateApproximation,
  evaluateOver,
  InvalidArgumentError,
  type IterationMethod,
  minimaxPolynomial,
  variableMap,
} from '../src/index.js';
import { useBackend } from './support/backend.js';
import { numberAlgebra } from './support/number_algebra.js';
import { largestDifference, valuesOf } from './support/reference.js';

await useBackend('cpu');

const METHODS: readonly IterationMethod[] = ['goldschmidt', 'adaptive-goldschmidt', 'newton'];
const functions = fc.constantFrom<ApproximatedFunction>('reciprocal', 'rsqrt');
const methods = fc.constantFrom(...METHODS);
const kappas = fc.double({ min: 1.1, max: 1e4, noNaN: true });
const runs = { numRuns: 150, seed: 5 };

/** The textbook iterations, one variable per quantity, rescaled only at the start. */
function plainly(name: ApproximatedFunction, [lower, upper]: readonly [number, number], steps: number, x: number): number {
  const ratio = lower / upper;
  let y = name === 'reciprocal' ? 2 / (lower + upper) : Math.sqrt(3 / (1 + Math.sqrt(ratio) + ratio) / upper);
  for (let i = 0; i < steps; i++) y *= name === 'reciprocal' ? 2 - x * y : (3 - x * y * y) / 2;
  return y;
}

describe('iterations', () => {
  test('plain Goldschmidt and Newton have the values of the textbook iteration', () => {
    fc.assert(
      fc.property(
        functions,
        fc.constantFrom<IterationMethod>('goldschmidt', 'newton'),
        kappas,
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (name, method, kappa, steps, position) => {
          const interval = [0.2, 0.2 * kappa] as const;
          const x = interval[0] + position * (interval[1] - interval[0]);
          const expected = plainly(name, interval, steps, x);
          expect(evaluateApproximation(approximate(name, interval, { method, steps }), x) / expected).toBeCloseTo(1, 9);
        },
      ),
      runs,
    );
  });

  test('state an error that no point of the interval exceeds', () => {
    fc.assert(
      fc.property(functions, methods, kappas, fc.integer({ min: 1, max: 12 }), unitInterval(), (name, method, kappa, steps, position) => {
        const approximation = approximate(name, [0.2, 0.2 * kappa], { method, steps });
        const x = 0.2 * kappa ** position;
        const exact = name === 'reciprocal' ? 1 / x : 1 / Math.sqrt(x);
        expect(Math.abs(evaluateApproximation(approximation, x) / exact - 1)).toBeLessThanOrEqual(approximation.maxError * 1.01 + 1e-10);
      }),
      runs,
    );
  });

  test('take the scaling of the initial guess that no other constant improves on', () => {
    const interval = [0.1, 3] as const;
    for (const name of ['reciprocal', 'rsqrt'] as const) {
      const { maxError } = approximate(name, interval, { method: 'newton', steps: 4 });
      const ends = (guess: number): number =>
        Math.max(
          ...interval.map((x) => {
            let y = guess;
            for (let i = 0; i < 4; i++) y *= name === 'reciprocal' ? 2 - x * y : (3 - x * y * y) / 2;
            return Math.abs(y / (name === 'reciprocal' ? 1 / x : 1 / Math.sqrt(x)) - 1);
          }),
        );
      const best = name === 'reciprocal' ? 2 / 3.1 : Math.sqrt(3 / (1 + Math.sqrt(1 / 30) + 1 / 30) / 3);
      expect(ends(best)).toBeCloseTo(maxError, 10);
      for (const factor of [0.9, 0.99, 1.01, 1.1]) expect(ends(best * factor)).toBeGreaterThan(maxError);
    }
  });

  test('reach an accuracy with the fewest steps', () => {
    for (const method of METHODS) {
      for (const name of ['reciprocal', 'rsqrt'] as const) {
        const { steps, maxError } = approximate(name, [1, 200], { method, bits: 11 });
        expect(maxError).toBeLessThanOrEqual(2 ** -11);
        expect(approximate(name, [1, 200], { method, steps: steps! - 1 }).maxError).toBeGreaterThan(2 ** -11);
      }
    }
  });

  test.each(METHODS)('%s has the same values on tensors, to float32', (method) => {
    const x = Array.from({ length: 40 }, (_, i) => 0.5 + i / 4);
    for (const name of ['reciprocal', 'rsqrt'] as const) {
      const approximation = approximate(name, [0.5, 10.5], { method, bits: 12 });
      const { slope, offset } = variableMap(approximation);
      const u = tf.tensor1d(x.map((value) => slope * value + offset));
      const actual = valuesOf(evaluateOver<tf.Tensor>(tensorAlgebra, approximation, u, 3));
      const expected = x.map((value) => 3 * evaluateApproximation(approximation, value));
      expect(largestDifference(actual, expected)).toBeLessThan(1e-5);
    }
  });

  test('fold a factor into their constants at no cost', () => {
    fc.assert(
      fc.property(functions, methods, fc.integer({ min: 1, max: 8 }), (name, method, steps) => {
        const approximation = approximate(name, [1, 9], { method, steps });
        const { depth, products } = approximation;
        expect(costOf((counter, variable) => evaluateOver(counter, approximation, variable, 7))).toEqual({ depth, products });
        const { slope, offset } = variableMap(approximation);
        const value = evaluateOver(numberAlgebra, approximation, slope * 4 + offset, 7);
        expect(value / evaluateApproximation(approximation, 4)).toBeCloseTo(7, 8);
      }),
      runs,
    );
  });

  test.each([
    ['reciprocal', 'goldschmidt', [1, 2, 3, 4, 5], [0, 2, 4, 6, 8]],
    ['reciprocal', 'adaptive-goldschmidt', [1, 2, 3, 4, 5], [0, 2, 4, 6, 8]],
    ['reciprocal', 'newton', [1, 2, 4, 6, 8], [0, 2, 4, 6, 8]],
    ['rsqrt', 'goldschmidt', [1, 3, 5, 7, 9], [0, 3, 6, 9, 12]],
    ['rsqrt', 'adaptive-goldschmidt', [1, 3, 5, 7, 9], [0, 3, 6, 9, 12]],
    ['rsqrt', 'newton', [1, 3, 4, 6, 8], [0, 3, 6, 9, 12]],
  ] as const)('%s by %s takes the levels and products stated for 1 to 5 steps', (name, method, depths, products) => {
    const costs = [1, 2, 3, 4, 5].map((steps) => approximate(name, [1, 20], { method, steps }));
    expect(costs.map((cost) => cost.depth)).toEqual([...depths]);
    expect(costs.map((cost) => cost.products)).toEqual([...products]);
  });
});

function unitInterval(): fc.Arbitrary<number> {
  return fc.double({ min: 0, max: 1, noNaN: true });
}

describe('adaptive Goldschmidt', () => {
  test('for 1/x is the minimax polynomial of degree 2^n - 1, in fewer products', () => {
    for (const steps of [1, 2, 3, 4]) {
      const interval = [0.3, 12] as const;
      const adaptive = approximate('reciprocal', interval, { method: 'adaptive-goldschmidt', steps });
      const { coefficients } = minimaxPolynomial((x) => 1 / x, interval, 2 ** steps - 1, 'relative');
      for (const x of [0.3, 0.5, 2, 7, 12]) {
        expect(evaluateApproximation(adaptive, x)).toBeCloseTo(evaluateApproximation({ coefficients, interval }, x), 8);
      }
      const { depth, products } = approximate('reciprocal', interval, { degree: 2 ** steps - 1 });
      expect(adaptive.depth).toBe(depth);
      expect(adaptive.products).toBeLessThanOrEqual(products);
    }
  });

  test('for 1/sqrt(x) starts with the minimax line, and each step is a better one than a plain step', () => {
    const interval = [0.3, 12] as const;
    const line = approximate('rsqrt', interval, { degree: 1 });
    const errors = [1, 2, 3, 4].map((steps) => approximate('rsqrt', interval, { method: 'adaptive-goldschmidt', steps }).maxError);
    expect(errors[0]).toBeCloseTo(line.maxError, 9);
    for (const [i, error] of errors.entries()) {
      expect(error).toBeLessThan(approximate('rsqrt', interval, { method: 'goldschmidt', steps: i + 1 }).maxError);
    }
  });
});

/** Steps for a relative error of 1e-2, 1e-3 and 1e-4 of 1/x on [1, kappa]: the closed forms of both kinds, worked out for this package. */
const TABLE: readonly (readonly [kappa: number, plain: readonly number[], adaptive: readonly number[]])[] = [
  [10, [5, 6, 6], [4, 4, 4]],
  [30, [7, 7, 8], [4, 5, 5]],
  [100, [8, 9, 9], [5, 6, 6]],
  [300, [10, 11, 11], [6, 7, 7]],
  [1e3, [12, 12, 13], [7, 7, 8]],
  [1e4, [15, 16, 16], [9, 9, 9]],
  [1e5, [18, 19, 19], [10, 11, 11]],
];

describe.each(TABLE)('the steps needed for 1/x at kappa = %d', (kappa, plain, adaptive) => {
  const steps = (method: IterationMethod): (number | undefined)[] =>
    [1e-2, 1e-3, 1e-4].map((error) => approximate('reciprocal', [1, kappa], { method, bits: -Math.log2(error) }).steps);

  test('match the table for plain Goldschmidt, the least n with ((k - 1) / (k + 1))^(2^n) <= error', () => {
    expect(steps('goldschmidt')).toEqual(plain);
    const closedForm = [1e-2, 1e-3, 1e-4].map((error) => Math.ceil(Math.log2(Math.log(error) / Math.log((kappa - 1) / (kappa + 1)))));
    expect(closedForm).toEqual(plain);
  });

  test('match the table for adaptive steps', () => {
    expect(steps('adaptive-goldschmidt')).toEqual(adaptive);
  });
});

describe('approximate refuses', () => {
  test.each([
    ['a degree for an iteration', 'reciprocal', { method: 'newton', degree: 7 }],
    ['steps for a polynomial', 'reciprocal', { method: 'minimax', steps: 3 }],
    ['no steps at all', 'reciprocal', { method: 'newton', steps: 0 }],
    ['33 steps', 'reciprocal', { method: 'newton', steps: 33 }],
    ['neither steps nor bits', 'reciprocal', { method: 'newton' }],
    ['an iteration for gelu', 'gelu', { method: 'goldschmidt', steps: 2 }],
  ] as const)('%s', (_, name, options) => {
    expect(() => approximate(name, [1, 2], options)).toThrow(InvalidArgumentError);
  });

  test('an accuracy beyond float64', () => {
    expect(() => approximate('reciprocal', [1, 2], { method: 'goldschmidt', bits: 80 })).toThrow(ApproximationError);
  });
});

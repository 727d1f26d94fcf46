import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type ApproximatedFunction,
  type Approximation,
  ApproximationError,
  type ApproximationMethod,
  approximate,
  InvalidArgumentError,
} from '../src/index.js';

const METHODS: readonly ApproximationMethod[] = ['minimax', 'chebyshev', 'goldschmidt', 'adaptive-goldschmidt', 'newton', 'composite'];

/** What every method gives that reaches the accuracy. */
function alternatives(name: ApproximatedFunction, interval: readonly [number, number], bits: number): Approximation[] {
  return METHODS.flatMap((method) => {
    try {
      return [approximate(name, interval, { bits, method })];
    } catch {
      return [];
    }
  });
}

describe("method 'auto'", () => {
  test('meets the accuracy with the least depth, then the fewest products, of all methods', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<ApproximatedFunction>('reciprocal', 'rsqrt', 'gelu'),
        fc.double({ min: 1.5, max: 300, noNaN: true }),
        fc.integer({ min: 3, max: 12 }),
        (name, kappa, bits) => {
          const interval = name === 'gelu' ? ([-kappa / 60, kappa / 50] as const) : ([0.2, 0.2 * kappa] as const);
          const chosen = approximate(name, interval, { bits, method: 'auto' });
          expect(chosen.maxError).toBeLessThanOrEqual(2 ** -bits);
          for (const { depth, products } of alternatives(name, interval, bits)) {
            expect(depth > chosen.depth || (depth === chosen.depth && products >= chosen.products)).toBe(true);
          }
        },
      ),
      { numRuns: 12, seed: 9 },
    );
  });

  test.each([
    [60, 'adaptive-goldschmidt'],
    [40, 'composite'],
  ])('divides on a ratio of %i by %s, whose factored form saves products', (kappa, method) => {
    const chosen = approximate('reciprocal', [1, kappa], { bits: 10, method: 'auto' });
    const minimax = approximate('reciprocal', [1, kappa], { bits: 10 });
    expect(chosen).toMatchObject({ method, depth: minimax.depth });
    expect(chosen.products).toBeLessThan(minimax.products);
  });

  test('takes the most accurate of equal cost', () => {
    const chosen = approximate('reciprocal', [1, 20], { bits: 7, method: 'auto' });
    const minimax = approximate('reciprocal', [1, 20], { bits: 7 });
    expect(chosen).toMatchObject({ method: 'adaptive-goldschmidt', depth: minimax.depth, products: minimax.products });
    expect(chosen.maxError).toBeLessThan(minimax.maxError);
  });

  test('goes on where polynomials of degree 63 end', () => {
    expect(() => approximate('reciprocal', [1e-4, 1], { bits: 12 })).toThrow(ApproximationError);
    expect(approximate('reciprocal', [1e-4, 1], { bits: 12, method: 'auto' })).toMatchObject({ method: 'adaptive-goldschmidt', depth: 9 });
    expect(approximate('rsqrt', [1e-4, 1], { bits: 12, method: 'auto' }).maxError).toBeLessThanOrEqual(2 ** -12);
  });

  test('refuses an accuracy that no method reaches', () => {
    expect(() => approximate('rsqrt', [1, 2], { bits: 70, method: 'auto' })).toThrow(ApproximationError);
  });

  test.each([{ degree: 7 }, { steps: 3 }, { bits: 8, degree: 7 }, {}])('refuses %j', (options) => {
    expect(() => approximate('reciprocal', [1, 2], { ...options, method: 'auto' })).toThrow(InvalidArgumentError);
  });
});

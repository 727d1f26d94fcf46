import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chebyshevSeries } from '../../src/ops/chebyshev_series.js';
import { levelsOfDegree } from '../../src/ops/evaluate_polynomial.js';
import { clenshaw, minimax } from '../../src/ops/minimax.js';

describe('the nearest polynomial', () => {
  // Chebyshev 1859 (Meinardus, Approximation of Functions, section 4.3): 1 / (u + c) has the least error rho^n / (c^2 - 1), rho = c - (c^2 - 1)^1/2.
  test('of 1/(u + c) has the error of the closed form', () => {
    fc.assert(
      fc.property(fc.double({ min: 1.02, max: 4, noNaN: true }), fc.integer({ min: 1, max: 24 }), (c, degree) => {
        const root = Math.sqrt(c * c - 1);
        const least = (c - root) ** degree / (c * c - 1);
        fc.pre(least > 1e-9);
        expect(Math.abs(minimax((u) => 1 / (u + c), degree)!.error / least - 1)).toBeLessThan(0.01);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  test('is no further than any other of its degree', () => {
    const f = (u: number) => 1 / Math.sqrt(u + 1.1);
    const { coefficients, error } = minimax(f, 7)!;
    const errorOf = (c: Float64Array) =>
      Math.max(...Array.from({ length: 2001 }, (_, i) => Math.abs(f(i / 1000 - 1) - clenshaw(c, i / 1000 - 1))));
    expect(errorOf(coefficients)).toBeLessThan(1.01 * error);
    for (let k = 0; k <= 7; k++) {
      for (const change of [-0.1, 0.1]) {
        const other = coefficients.map((c, i) => (i === k ? c + change * error : c));
        expect(errorOf(other)).toBeGreaterThan(error);
      }
    }
  });
});

describe('1/x and 1/sqrt(x) over an interval', () => {
  const levels = (f: (x: number) => number, low: number, high: number, bits: number) =>
    levelsOfDegree(chebyshevSeries('test', f, [low, high], bits).length - 1);

  test.each([
    [10, 4],
    [100, 6],
    [1e4, 9],
  ])('1/x to 12 bits over [1, %d] takes %d levels', (kappa, expected) => {
    expect(levels((x) => 1 / x, 1, kappa, 12)).toBe(expected);
  });

  test('are as precise as asked, in as few levels as the nearest polynomials', () => {
    const functions = [(x: number) => 1 / x, (x: number) => 1 / Math.sqrt(x)];
    fc.assert(
      fc.property(
        fc.constantFrom(...functions),
        fc.double({ min: 1.5, max: 60, noNaN: true }),
        fc.integer({ min: 6, max: 20 }),
        (f, kappa, bits) => {
          const onUnit = (u: number) => f((1 + kappa) / 2 + (u * (kappa - 1)) / 2);
          const coefficients = Float64Array.from(chebyshevSeries('test', f, [1, kappa], bits));
          for (let i = 0; i <= 200; i++)
            expect(Math.abs(clenshaw(coefficients, i / 100 - 1) - onUnit(i / 100 - 1))).toBeLessThan(1.01 * 2 ** -bits);
          const fewer = 2 ** (levelsOfDegree(coefficients.length - 1) - 1) - 1;
          if (fewer >= 1) expect(minimax(onUnit, fewer)!.error).toBeGreaterThan(2 ** -bits);
        },
      ),
      { numRuns: 40, seed: 5 },
    );
  });
});

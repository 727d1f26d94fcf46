import { describe, expect, test } from '@jest/globals';
import { chebyshevInterpolant } from '../src/approximation/chebyshev.js';
import { evaluateApproximation, minimaxPolynomial } from '../src/index.js';

function expectCoefficients(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [k, value] of expected.entries()) expect(Math.abs(actual[k]! - value)).toBeLessThan(1e-9);
}

/** Chebyshev coefficients of `intercept + slope * x` on `[a, b]`. */
function line(intercept: number, slope: number, a: number, b: number): number[] {
  return [intercept + (slope * (a + b)) / 2, (slope * (b - a)) / 2];
}

describe('coefficients agree to 1e-9 with the best approximation known in closed form, of', () => {
  test.each([3, 7, 12])('1/(c - x) on [-1, 1], degree %i (Chebyshev; Rivlin, Chebyshev Polynomials, section 2.3)', (degree) => {
    for (const c of [1.2, 2]) {
      const root = Math.sqrt(c * c - 1);
      const rho = c - root;
      const { coefficients, maxError } = minimaxPolynomial((x) => 1 / (c - x), [-1, 1], degree, 'absolute');
      // The Chebyshev series cut off after T_degree, with that last coefficient divided by 1 - rho^2.
      const series = Array.from({ length: degree + 1 }, (_, k) => ((k === 0 ? 1 : 2) * rho ** k) / root);
      series[degree] = series[degree]! / (1 - rho * rho);
      expectCoefficients(coefficients, series);
      expect(Math.abs(maxError - rho ** degree / (c * c - 1))).toBeLessThan(1e-9);
    }
  });

  test.each([3, 7, 15])('1/x in the relative error, degree %i: 1 - x q(x) is a scaled T_(n+1)', (degree) => {
    const interval = [0.3, 6] as const;
    const sigma = (interval[1] + interval[0]) / (interval[1] - interval[0]);
    const n = degree + 1;
    const scale = 1 / Math.cosh(n * Math.acosh(sigma));
    const best = (x: number): number => {
      const u = (2 * x - interval[0] - interval[1]) / (interval[1] - interval[0]);
      return (1 - scale * Math.cos(n * Math.acos(-u))) / x;
    };
    const { coefficients, maxError } = minimaxPolynomial((x) => 1 / x, interval, degree, 'relative');
    // The closed form is a polynomial of this degree, so its interpolant is itself.
    expectCoefficients(coefficients, chebyshevInterpolant(best, interval, degree));
    expect(Math.abs(maxError - scale)).toBeLessThan(1e-9);
  });

  test('1/sqrt(x) in the relative error, degree 1: the optimally scaled and centred Newton step', () => {
    const [a, b] = [0.3, 2.4];
    const ratio = a / b;
    const scale = 3 / (1 + Math.sqrt(ratio) + ratio) / b;
    // r = x y^2 after the step from y = sqrt(scale) lies in [lowest, 1]: the factor centres its root.
    const lowest = (scale * a * (3 - scale * a) ** 2) / 4;
    const factor = (Math.sqrt(scale) / 2) * (2 / (1 + Math.sqrt(lowest)));
    const { coefficients, maxError } = minimaxPolynomial((x) => 1 / Math.sqrt(x), [a, b], 1, 'relative');
    expectCoefficients(coefficients, line(3 * factor, -scale * factor, a, b));
    expect(Math.abs(maxError - (1 - Math.sqrt(lowest)) / (1 + Math.sqrt(lowest)))).toBeLessThan(1e-9);
  });

  test.each([
    [0, 1],
    [0.25, 4],
  ])('sqrt(x) on [%d, %d], degree 1 (x + 1/8 on [0, 1])', (a, b) => {
    const slope = 1 / (Math.sqrt(a) + Math.sqrt(b));
    const intercept = (Math.sqrt(a) - slope * a + 1 / (4 * slope)) / 2;
    const { coefficients } = minimaxPolynomial(Math.sqrt, [a, b], 1, 'absolute');
    expectCoefficients(coefficients, line(intercept, slope, a, b));
  });

  test('exp on [-1, 1], degree 1: sinh(1) x + (e - sinh(1) log(sinh(1))) / 2', () => {
    const slope = Math.sinh(1);
    const { coefficients, maxError } = minimaxPolynomial(Math.exp, [-1, 1], 1, 'absolute');
    expectCoefficients(coefficients, [(Math.E - slope * Math.log(slope)) / 2, slope]);
    expect(maxError).toBeCloseTo(0.278802, 6);
  });

  test('|x| on [-1, 1], degree 3: x^2 + 1/8', () => {
    const { coefficients } = minimaxPolynomial(Math.abs, [-1, 1], 3, 'absolute');
    expectCoefficients(coefficients, [5 / 8, 0, 1 / 2, 0]);
  });

  test('x^6 on [-1, 1], degree 5: all but the T_6 of its Chebyshev expansion', () => {
    const { coefficients, maxError } = minimaxPolynomial((x) => x ** 6, [-1, 1], 5, 'absolute');
    expectCoefficients(coefficients, [10 / 32, 0, 15 / 32, 0, 6 / 32, 0]);
    expect(Math.abs(maxError - 1 / 32)).toBeLessThan(1e-12);
  });
});

test('the exchange ends where rounding stops it: a ratio of 1e6 between the ends', () => {
  const interval = [1e-6, 1] as const;
  const { coefficients, levelledError } = minimaxPolynomial((x) => 1 / x, interval, 31, 'relative');
  const sigma = (1 + 1e-6) / (1 - 1e-6);
  expect(levelledError).toBeCloseTo(1 / Math.cosh(32 * Math.acosh(sigma)), 5);
  expect(Math.abs(evaluateApproximation({ coefficients, interval }, 1e-6) * 1e-6 - 1)).toBeLessThan(levelledError * 1.0001);
});

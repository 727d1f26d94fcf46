import { describe, expect, test } from '@jest/globals';
import type { Interval } from '../src/index.js';
import { minimaxPolynomial } from '../src/index.js';

/** A best approximation as it was published: coefficients of 1, x, x^2, ... in the digits printed, and its error where that is printed too. */
interface Published {
  readonly f: (x: number) => number;
  readonly interval: Interval;
  readonly measure: 'absolute' | 'relative';
  readonly coefficients: readonly string[];
  readonly error?: number;
}

// Even and odd functions are published in x^2: of sin and cos, the polynomial in t = x^2 approximates sin(sqrt t) / sqrt t and cos(sqrt t).
const cosine = (t: number) => Math.cos(Math.sqrt(t));
const sine = (t: number) => (t === 0 ? 1 : Math.sin(Math.sqrt(t)) / Math.sqrt(t));
const quarter = [0, (Math.PI / 2) ** 2] as const;

const TABLE: readonly (readonly [name: string, table: Published])[] = [
  [
    // Hocevar, wiki of Lol Remez, tutorial 1 of 5, "exp(x) the quick way".
    'exp on [-1, 1], degree 4',
    {
      f: Math.exp,
      interval: [-1, 1],
      measure: 'absolute',
      coefficients: [
        '1.0000900001021276399',
        '9.9730925167444643205e-1',
        '4.9883511709023591553e-1',
        '1.7734527436884122688e-1',
        '4.4155517622880223000e-2',
      ],
      error: 5.46667600514e-4,
    },
  ],
  [
    // JonT with Mathematica, mailing list sollya-users, 19 June 2018, "information, features regarding remez and fplll"; the first 30 digits.
    'log(1 + x) / x on [1/sqrt(2) - 1, sqrt(2) - 1], degree 8, relative error',
    {
      f: (x) => (x === 0 ? 1 : Math.log1p(x) / x),
      interval: [Math.SQRT1_2 - 1, Math.SQRT2 - 1],
      measure: 'relative',
      coefficients: [
        '0.999999974189603817500941954242',
        '-0.499999879639918222887828824155',
        '0.333341856255878417326152776961',
        '-0.250020740849433612453039675872',
        '0.199568335770449255275746548352',
        '-0.165623927426057090805516525124',
        '0.149522660772028487897978221707',
        '-0.143668451048959808762081219248',
        '0.087223597324602808704961423528',
      ],
    },
  ],
  [
    // Chevillard, Joldes and Lauter, Sollya user's manual, command remez, example 2; the first 30 digits.
    'cos on [0, pi/4], degree 8 in even powers, relative error',
    {
      f: cosine,
      interval: [0, (Math.PI / 4) ** 2],
      measure: 'relative',
      coefficients: [
        '0.999999999943937492804445719885',
        '-0.499999995715574677372049316308',
        '4.16666132335010905188253972212e-2',
        '-1.38865291475286141707180658383e-3',
        '2.43726791911116269422173866792e-5',
      ],
    },
  ],
  [
    // Hart et al., Computer Approximations (1968), as printed by Ganssle, "A Guide to Approximations", cos to 12.1 digits.
    'cos on [0, pi/2], degree 12 in even powers',
    {
      f: cosine,
      interval: quarter,
      measure: 'absolute',
      coefficients: [
        '0.99999999999925182',
        '-0.49999999997024012',
        '0.041666666473384543',
        '-0.001388888418000423',
        '0.0000248010406484558',
        '-0.0000002752469638432',
        '0.0000000019907856854',
      ],
    },
  ],
  [
    // publik-void, "Fast MiniMax Polynomial Approximations of Sine and Cosine" (2018), "Sin, rel. error minimized, degree 9".
    'sin(x) / x on [0, pi/2], degree 8 in even powers, relative error',
    {
      f: sine,
      interval: quarter,
      measure: 'relative',
      coefficients: [
        '0.999999994686007336752316120259640318',
        '-0.166666566840071513590695269999128453',
        '0.00833302513896936729848481553136180314',
        '-0.000198074187274269708745741141088641071',
        '2.60190306765146018582500885337773154e-6',
      ],
      error: 5.31399266e-9,
    },
  ],
  [
    // Borchers with Remez.jl, "The Remez Problem" (15 September 2023), section Julia.
    "Runge's function 1 / (1 + 25 x^2) on [-1, 1], degree 10 in even powers",
    {
      f: (t) => 1 / (1 + 25 * t),
      interval: [0, 1],
      measure: 'absolute',
      coefficients: [
        '0.9340770733391597',
        '-11.5530156918588831',
        '59.1718922314996475',
        '-134.1552503674891540',
        '135.7959650680182781',
        '-50.2211297017083501',
      ],
      error: 0.0659229266608402,
    },
  ],
];

describe('coefficients agree to 1e-9 with published best approximations, of', () => {
  test.each(TABLE)('%s', (_, { f, interval, measure, coefficients, error }) => {
    const found = minimaxPolynomial(f, interval, coefficients.length - 1, measure);
    const monomials = inPowers(found.coefficients, interval);
    for (const [k, published] of coefficients.entries()) expect(Math.abs(monomials[k]! - Number(published))).toBeLessThan(1e-9);
    if (error !== undefined) expect(found.maxError / error).toBeCloseTo(1, 6);
  });
});

describe('is certified by the theorem of de la Vallee Poussin: alternating errors bound the best error from below, of', () => {
  test.each(TABLE)('%s', (_, { f, interval, measure, coefficients }) => {
    const degree = coefficients.length - 1;
    const found = minimaxPolynomial(f, interval, degree, measure);
    const powers = inPowers(found.coefficients, interval);
    const error = (x: number) => (f(x) - powers.reduceRight((sum, c) => sum * x + c, 0)) / (measure === 'relative' ? f(x) : 1);
    const errors = found.reference.map(error);
    expect(errors).toHaveLength(degree + 2);
    for (const [i, value] of errors.entries()) expect(Math.sign(value)).toBe((i % 2 === 0 ? 1 : -1) * Math.sign(errors[0]!));
    expect(found.maxError - Math.min(...errors.map(Math.abs))).toBeLessThan(1e-5 * found.maxError + 1e-14);
  });
});

/** Coefficients of 1, x, x^2, ... of a polynomial with Chebyshev coefficients on the unit variable of the interval. */
function inPowers(chebyshev: readonly number[], [lower, upper]: Interval): number[] {
  const slope = 2 / (upper - lower);
  const offset = -(upper + lower) / (upper - lower);
  const timesUnit = (p: readonly number[]): number[] => [...p, 0].map((c, k) => offset * c + slope * (p[k - 1] ?? 0));
  const basis = [[1], timesUnit([1])];
  while (basis.length < chebyshev.length) {
    const [before, last] = basis.slice(-2);
    basis.push(timesUnit(last!).map((c, k) => 2 * c - (before![k] ?? 0)));
  }
  return chebyshev.map((_, k) => chebyshev.reduce((sum, c, i) => sum + c * (basis[i]![k] ?? 0), 0));
}

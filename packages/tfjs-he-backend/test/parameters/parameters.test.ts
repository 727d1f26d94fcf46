import { describe, expect, test } from '@jest/globals';
import { createParameters, type ParametersLiteral } from '../../src/parameters/parameters.js';
import { choosePrimes, isProbablePrime } from '../../src/parameters/primes.js';

const literal: ParametersLiteral = {
  polyModulusDegree: 8192,
  coeffModulus: choosePrimes(8192, [48, 30, 30, 30, 30, 50]),
  securityBits: 128,
  refreshLevel: 1,
};
const code = (name: string) => expect.objectContaining({ code: name });

describe('createParameters', () => {
  test('accepts 218 bits at N=8192 and refuses more', () => {
    expect(createParameters(literal).totalBits).toBeLessThanOrEqual(218);
    const tooLarge = choosePrimes(8192, [50, 30, 30, 30, 30, 50]);
    expect(() => createParameters({ ...literal, coeffModulus: tooLarge })).toThrow(code('PARAMETERS_INSECURE'));
    expect(() => createParameters({ ...literal, securityBits: 192 })).toThrow(code('PARAMETERS_INSECURE'));
  });

  test.each([
    ['a degree that is no power of two', { polyModulusDegree: 5000 }],
    ['a composite modulus', { coeffModulus: [...literal.coeffModulus.slice(0, -1), literal.coeffModulus[0]! + 2n * 16384n] }],
    ['a repeated prime', { coeffModulus: [...literal.coeffModulus, literal.coeffModulus[1]!] }],
    ['a prime above 50 bits', { coeffModulus: [...choosePrimes(8192, [51]), ...literal.coeffModulus.slice(1)] }],
    ['a refresh level at the top', { refreshLevel: 4 }],
  ])('refuses %s', (_, change) => {
    expect(() => createParameters({ ...literal, ...change })).toThrow(code('PARAMETERS_INVALID'));
  });

  test.each([0, 1, 2, 3])('canonical scales square and divide, and close the cycle at refresh level %d', (refreshLevel) => {
    const p = createParameters({ ...literal, refreshLevel });
    expect(p.levelScale(refreshLevel)).toBe(p.levelScale(p.maxLevel));
    for (let level = p.maxLevel; level > 0; level--) {
      const expected = p.levelScale(level) ** 2 / p.primeAt(level);
      expect(Math.abs(p.levelScale(level - 1) / expected - 1)).toBeLessThan(1e-12);
    }
    expect(Math.abs(Math.log2(p.levelScale(p.maxLevel)) - 30)).toBeLessThan(0.1);
  });
});

test.each([0, 1])('rounding does not add up over a chain of 22 levels from refresh level %d on', (refreshLevel) => {
  const coeffModulus = choosePrimes(32768, [43, ...new Array<number>(refreshLevel + 22).fill(33), 50]);
  const p = createParameters({ polyModulusDegree: 32768, coeffModulus, securityBits: 128, refreshLevel });
  const drift = Array.from({ length: p.maxLevel }, (_, level) => {
    const expected = p.levelScale(level + 1) ** 2 / p.primeAt(level + 1);
    return Math.abs(p.levelScale(level) / expected - 1);
  });
  expect(Math.max(...drift)).toBeLessThan(1e-13);
});

describe('choosePrimes', () => {
  test('gives distinct primes = 1 mod 2N of the sizes asked for', () => {
    const sizes = [50, 40, 40, 40, 25, 50];
    const primes = choosePrimes(16384, sizes);
    expect(primes.map((p) => p.toString(2).length)).toEqual(sizes);
    expect(new Set(primes).size).toBe(sizes.length);
    for (const p of primes) expect([p % 32768n, isProbablePrime(p)]).toEqual([1n, true]);
  });

  test('says when there are too few', () => {
    expect(() => choosePrimes(32768, [18, 18])).toThrow(code('PARAMETERS_NO_PRIMES'));
  });
});

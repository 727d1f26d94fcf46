import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { choosePrimes, powMod } from '../../src/parameters/primes.js';
import { createModulus, multiplyMod } from '../../src/ring/modulus.js';
import { createNttTables, forwardNtt, inverseNtt, minimalPrimitiveRoot } from '../../src/ring/ntt.js';

const primes = choosePrimes(1024, [50, 50, 49, 41, 30, 22]);

describe('multiplyMod', () => {
  test('equals the BigInt product for residues of primes up to 50 bits', () => {
    fc.assert(
      fc.property(fc.constantFrom(...primes), fc.bigInt({ min: 0n, max: 1n << 50n }), fc.bigInt({ min: 0n, max: 1n << 50n }), (p, x, y) => {
        const [a, b] = [x % p, y % p];
        expect(multiplyMod(Number(a), Number(b), createModulus(p))).toBe(Number((a * b) % p));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test('is exact at the ends of the range', () => {
    for (const p of primes) {
      const m = createModulus(p);
      for (const a of [0n, 1n, 2n, p / 2n, p / 2n + 1n, p - 2n, p - 1n]) {
        for (const b of [0n, 1n, 2n, p / 2n, p / 2n + 1n, p - 2n, p - 1n]) {
          expect(multiplyMod(Number(a), Number(b), m)).toBe(Number((a * b) % p));
        }
      }
    }
  });
});

describe('negacyclic transform', () => {
  const degree = 32;
  const prime = primes[0]!;
  const tables = createNttTables(degree, prime);
  const polynomial = fc.array(fc.bigInt({ min: 0n, max: prime - 1n }), { minLength: degree, maxLength: degree });
  const toDoubles = (a: readonly bigint[]) => Float64Array.from(a, Number);

  test('the inverse undoes the forward transform', () => {
    fc.assert(
      fc.property(polynomial, (a) => {
        const x = toDoubles(a);
        forwardNtt(x, tables);
        inverseNtt(x, tables);
        expect(x).toEqual(toDoubles(a));
      }),
      { numRuns: 50, seed: 2 },
    );
  });

  test('pointwise products are products modulo X^N + 1', () => {
    fc.assert(
      fc.property(polynomial, polynomial, (a, b) => {
        const expected = new Array<bigint>(degree).fill(0n);
        a.forEach((x, i) => {
          b.forEach((y, j) => {
            const k = (i + j) % degree;
            expected[k] = (expected[k]! + (i + j < degree ? 1n : prime - 1n) * x * y) % prime;
          });
        });
        const [x, y] = [toDoubles(a), toDoubles(b)];
        forwardNtt(x, tables);
        forwardNtt(y, tables);
        const z = x.map((v, i) => multiplyMod(v, y[i]!, tables.modulus));
        inverseNtt(z, tables);
        expect(z).toEqual(toDoubles(expected));
      }),
      { numRuns: 20, seed: 3 },
    );
  });

  test.each([...primes.slice(0, 3)])('the largest residues of a prime near 2^50 pass through 1024 points: %d', (p) => {
    const large = createNttTables(1024, p);
    for (const pattern of [
      () => p - 1n,
      (i: number) => (i % 2 === 0 ? p - 1n : 1n),
      (i: number) => (BigInt(i) * 0x9e3779b97f4a7c15n) % p,
    ]) {
      const x = Float64Array.from({ length: 1024 }, (_, i) => Number(pattern(i)));
      const y = x.slice();
      forwardNtt(y, large);
      expect(y.every((value) => value >= 0 && value < Number(p))).toBe(true);
      inverseNtt(y, large);
      expect(y).toEqual(x);
    }
  });

  test('the root is the smallest of its order', () => {
    const p = 7681n; // = 1 mod 512
    const root = minimalPrimitiveRoot(64, p);
    const all = Array.from({ length: Number(p) - 1 }, (_, i) => BigInt(i + 1)).filter((g) => powMod(g, 32n, p) === p - 1n);
    expect(root).toBe(all[0]);
  });
});

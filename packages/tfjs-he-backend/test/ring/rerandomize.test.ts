import { describe, expect, test } from '@jest/globals';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { inverseNtt } from '../../src/ring/ntt.js';
import { type CiphertextPair, rerandomize } from '../../src/ring/rerandomize.js';
import { createRing, type RnsPolynomial } from '../../src/ring/ring.js';
import { createSmallSampler } from '../../src/ring/small_polynomials.js';
import { randomSource } from '../support/random.js';
import { chiSquareDeviation, histogram } from '../support/statistics.js';

const DEGREE = 1 << 15;
const sampler = (seed: number) => createSmallSampler(new Uint8Array(32).fill(seed));
const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
const variance = (values: Float64Array) => mean(values.map((v) => v * v)) - mean(values) ** 2;

describe('small random polynomials', () => {
  test('ternary ones are uniform', () => {
    const counts = histogram(
      sampler(1)
        .ternary(DEGREE)
        .map((v) => v + 1),
      3,
    );
    expect(counts.reduce((a, b) => a + b)).toBe(DEGREE);
    expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4);
  });

  test('errors are centred, of variance 21 / 2, and at most 21', () => {
    const errors = sampler(2).error(DEGREE);
    expect(Math.abs(mean(errors))).toBeLessThan(0.1);
    expect(Math.abs(variance(errors) - 10.5)).toBeLessThan(0.4);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(21);
  });

  test.each([1, 20, 48])('uniform ones of %d bits fill their range', (bits) => {
    const values = sampler(3).uniform(DEGREE, bits);
    const buckets = Math.min(16, 2 ** bits);
    const counts = histogram(
      values.map((v) => Math.floor(((v + 2 ** (bits - 1)) * buckets) / 2 ** bits)),
      buckets,
    );
    expect(counts.reduce((a, b) => a + b)).toBe(DEGREE);
    expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4);
    expect(values.every(Number.isInteger)).toBe(true);
  });

  test('differ by key, and repeat with it', () => {
    expect(sampler(4).ternary(64)).toEqual(sampler(4).ternary(64));
    expect(sampler(4).ternary(64)).not.toEqual(sampler(5).ternary(64));
    expect(() => createSmallSampler(new Uint8Array(16))).toThrow(expect.objectContaining({ code: 'MASK_MISMATCH' }));
  });
});

describe('what is added to a ciphertext', () => {
  const parameters = createParameters({
    polyModulusDegree: 4096,
    coeffModulus: choosePrimes(4096, [50, 48, 50]),
    securityBits: 0,
    refreshLevel: 0,
  });
  const ring = createRing(parameters);
  const { degree } = ring;
  const primes = ring.primes.map(Number);
  const next = randomSource(3);
  const uniform = (): RnsPolynomial => primes.map((p) => Float64Array.from({ length: degree }, () => Math.floor(next() * p)));
  /** The polynomial of one integer, in NTT form. */
  const constant = (value: number): RnsPolynomial => primes.map(() => new Float64Array(degree).fill(value));
  const c: CiphertextPair = [uniform(), uniform()];
  /** Larger than twice what is added to it, so that u z + e tells u and e. */
  const z = [2 ** 30, 2 ** 20] as const;

  /** u and e (or e + f) of either polynomial, which must be the same modulo both primes. */
  function added(floodBits: number, key: number) {
    const result = rerandomize(c, [constant(z[0]), constant(z[1])], ring, floodBits, new Uint8Array(32).fill(key));
    return [0, 1].map((k) => {
      const byPrime = primes.map((p, i) => {
        const difference = result[k]![i]!.map((residue, n) => (residue - c[k]![i]![n]! + p) % p);
        inverseNtt(difference, ring.tables(i));
        return difference.map((x) => (x > p / 2 ? x - p : x));
      });
      expect(byPrime[1]).toEqual(byPrime[0]);
      const u = byPrime[0]!.map((x) => Math.round(x / z[k]!) + 0); // no -0
      return { u, e: byPrime[0]!.map((x, n) => x - u[n]! * z[k]!) };
    });
  }

  test('is the public key times one ternary polynomial, and an error for each of its two', () => {
    const [first, second] = added(0, 1);
    expect(first!.u).toEqual(second!.u);
    const counts = histogram(
      first!.u.map((v) => v + 1),
      3,
    );
    expect(counts.reduce((a, b) => a + b)).toBe(degree);
    expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4);
    for (const { e } of [first!, second!]) {
      expect(Math.abs(variance(e) - 10.5)).toBeLessThan(1);
      expect(Math.max(...e.map(Math.abs))).toBeLessThanOrEqual(21);
    }
    expect(first!.e).not.toEqual(second!.e);
  });

  test('and a flood on the first', () => {
    const [first, second] = added(20, 2);
    expect(Math.max(...first!.e)).toBeGreaterThan(0.99 * 2 ** 19);
    expect(Math.max(...first!.e)).toBeLessThan(2 ** 19 + 22);
    expect(Math.abs(variance(first!.e) / (2 ** 40 / 12) - 1)).toBeLessThan(0.1);
    expect(Math.max(...second!.e.map(Math.abs))).toBeLessThanOrEqual(21);
  });

  test('differs with the key', () => {
    expect(added(0, 3)[0]!.u).not.toEqual(added(0, 4)[0]!.u);
  });
});

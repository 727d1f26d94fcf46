import { describe, expect, test } from '@jest/globals';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { checkMaskSlack, type MaskSeed, maskBits, maskResidues, maskSlackBits, sampleMask } from '../../src/ring/mask.js';
import { inverseNtt } from '../../src/ring/ntt.js';
import { createRing } from '../../src/ring/ring.js';

const parameters = createParameters({
  polyModulusDegree: 1024,
  coeffModulus: choosePrimes(1024, [50, 40, 30, 30, 50]),
  securityBits: 0,
  refreshLevel: 1,
});
const seed: MaskSeed = { serverKey: new Uint8Array(32).fill(7), session: 's', segment: 1, index: 2 };

describe('refresh mask', () => {
  test('is a function of all parts of its seed', () => {
    const first = (s: MaskSeed) =>
      sampleMask(parameters, s)
        .map((limb) => limb[0]!)
        .join();
    const names = [
      seed,
      { ...seed, index: 3 },
      { ...seed, segment: 2 },
      { ...seed, session: 't' },
      { ...seed, serverKey: new Uint8Array(32).fill(8) },
    ].map(first);
    expect(new Set(names).size).toBe(5);
    expect(first({ ...seed })).toBe(names[0]);
  });

  test('fills [0, 2^B) evenly', () => {
    const bits = maskBits(parameters);
    const values = Array.from({ length: 16 }, (_, index) => sampleMask(parameters, { ...seed, index })).flatMap(([low, high]) =>
      Array.from(low!, (l, n) => (l + high![n]! * 2 ** 48) / 2 ** bits),
    );
    expect(Math.max(...values)).toBeLessThan(1);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    const buckets = new Array<number>(16).fill(0);
    for (const value of values) buckets[Math.floor(value * 16)]! += 1;
    for (const count of buckets) expect(Math.abs(count - 1024)).toBeLessThan(6 * Math.sqrt(1024));
  });

  test('residues are those of the integers at every prime', () => {
    const ring = createRing(parameters);
    const limbs = sampleMask(parameters, seed);
    const residues = maskResidues(parameters, ring, seed, parameters.maxLevel);
    residues.forEach((r, i) => {
      inverseNtt(r, ring.tables(i));
      const expected = Array.from({ length: 50 }, (_, n) =>
        Number(limbs.reduce((sum, limb, k) => sum + (BigInt(limb[n]!) << BigInt(48 * k)), 0n) % ring.primes[i]!),
      );
      expect(Array.from(r.subarray(0, 50))).toEqual(expected);
    });
  });

  test('parameters without 40 bits of slack are refused', () => {
    expect(maskSlackBits(parameters)).toBeGreaterThanOrEqual(40);
    expect(() => checkMaskSlack(parameters)).not.toThrow();
    const thin = createParameters({ ...parameters, refreshLevel: 0 });
    expect(() => checkMaskSlack(thin)).toThrow(expect.objectContaining({ code: 'PARAMETERS_MASK_SLACK' }));
  });
});

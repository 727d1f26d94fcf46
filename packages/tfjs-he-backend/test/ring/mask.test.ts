import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import {
  checkMaskSlack,
  type MaskSeed,
  maskBits,
  maskResidues,
  maskSlackBits,
  maskTag,
  messageBits,
  sampleMask,
} from '../../src/ring/mask.js';
import { inverseNtt } from '../../src/ring/ntt.js';
import { createRing } from '../../src/ring/ring.js';
import { chiSquareDeviation, histogram } from '../support/statistics.js';

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

  describe('sampled 65536 times', () => {
    const bits = maskBits(parameters);
    const integers = Array.from({ length: 64 }, (_, index) => sampleMask(parameters, { ...seed, index })).flatMap((limbs) =>
      Array.from(limbs[0]!, (_, n) => limbs.reduce((sum, limb, i) => sum + (BigInt(limb[n]!) << BigInt(48 * i)), 0n)),
    );

    test('stays in [0, 2^B) and comes near both ends', () => {
      const sorted = [...integers].sort((x, y) => (x < y ? -1 : 1));
      const [least, most] = [sorted[0], sorted.at(-1)];
      expect(least).toBeGreaterThanOrEqual(0n);
      expect(most).toBeLessThan(1n << BigInt(bits));
      expect(Number(least) / 2 ** bits).toBeLessThan(2 ** -13);
      expect(Number(most) / 2 ** bits).toBeGreaterThan(1 - 2 ** -13);
    });

    const views: [string, number, (x: bigint) => bigint][] = [
      ['highest byte', 256, (x) => x >> BigInt(bits - 8)],
      ['lowest byte', 256, (x) => x & 255n],
      ['byte across two limbs', 256, (x) => (x >> 44n) & 255n],
      ['remainder modulo 251', 251, (x) => x % 251n],
    ];
    test.each(views)('is uniform in its %s (chi-square)', (_, buckets, view) => {
      const counts = histogram(
        integers.map((x) => Number(view(x))),
        buckets,
      );
      expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4);
    });

    test('has neighbouring coefficients that do not depend on each other (chi-square of pairs)', () => {
      const high = integers.map((x) => Number(x >> BigInt(bits - 4)));
      const pairs = high.slice(1).map((value, i) => 16 * value + high[i]!);
      expect(Math.abs(chiSquareDeviation(histogram(pairs, 256)))).toBeLessThan(4);
    });
  });

  test('never repeats over session, segment and index', () => {
    const counter = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const part = fc.record({ session: fc.string({ maxLength: 6 }), segment: counter, index: counter });
    const name = (s: MaskSeed) => Buffer.from(maskTag(s)).toString('hex');
    fc.assert(
      fc.property(part, part, (a, b) => {
        const same = a.session === b.session && a.segment === b.segment && a.index === b.index;
        expect(name({ ...seed, ...a }) === name({ ...seed, ...b })).toBe(same);
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  test('differs where the bytes of session, segment and index would run into each other', () => {
    const grid = ['', 'a', 'aa', '\u0000', 'a\u0000', '\u0001\u0000\u0000\u0000'].flatMap((session) =>
      [0, 1, 256, 2 ** 31].flatMap((segment) => [0, 1, 256, 2 ** 31].map((index) => ({ ...seed, session, segment, index }))),
    );
    expect(new Set(grid.map((s) => Buffer.from(maskTag(s)).toString('hex'))).size).toBe(grid.length);
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

  test('which is where the limit is', () => {
    const ratio = 2 ** maskSlackBits(parameters) * (2 ** parameters.valueBits + 1); // of the mask's range to the scale
    const withSlack = (bits: number) => createParameters({ ...parameters, valueBits: Math.log2(ratio / 2 ** bits - 1) });
    expect(maskSlackBits(withSlack(40.1))).toBeCloseTo(40.1, 9);
    expect(() => checkMaskSlack(withSlack(40.1))).not.toThrow();
    expect(() => checkMaskSlack(withSlack(39.9))).toThrow(expect.objectContaining({ code: 'PARAMETERS_MASK_SLACK' }));
  });

  test('the slack is the ratio of the range to the largest coefficient, noise of 1 in a slot included', () => {
    const largest = parameters.levelScale(parameters.refreshLevel) * (2 ** parameters.valueBits + 1);
    expect(maskSlackBits(parameters)).toBeCloseTo(Math.log2(2 ** maskBits(parameters) / largest), 9);
  });

  test('mask and message together stay below half the modulus, so nothing wraps', () => {
    const { refreshLevel } = parameters;
    const half = 2 ** (parameters.modulusBits(refreshLevel) - 1);
    expect(2 ** maskBits(parameters) + 2 ** messageBits(parameters)).toBeLessThan(half);
  });
});

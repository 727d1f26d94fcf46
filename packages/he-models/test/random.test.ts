import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dropoutMask, normals, permutation, restoredRandom, seededRandom } from '../src/random.js';

describe('random', () => {
  test('a permutation holds every index once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer(), (count, seed) => {
        const order = [...permutation(count, seededRandom(seed))].sort((a, b) => a - b);
        expect(order).toEqual(Array.from({ length: count }, (_, index) => index));
      }),
    );
  });

  test('a restored generator continues where the other stood', () => {
    const random = seededRandom(5);
    dropoutMask(17, 0.5, random);
    const restored = restoredRandom(random.getState());
    expect(dropoutMask(50, 0.5, restored)).toEqual(dropoutMask(50, 0.5, random));
  });

  test('dropout drops the rate and keeps the mean', () => {
    const mask = dropoutMask(20000, 0.25, seededRandom(1));
    expect(mask.filter((value) => value === 0).length / mask.length).toBeCloseTo(0.25, 1);
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  });

  test('normals have the deviation asked for', () => {
    const values = normals(20000, 0.5, seededRandom(1));
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance).toBeCloseTo(0.25, 2);
  });
});

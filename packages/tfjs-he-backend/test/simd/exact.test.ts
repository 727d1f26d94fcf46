import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SimdOptions } from '../../src/engines/simd_runtime.js';
import type { EnginePair } from '../support/engine_pair.js';
import { openEnginePair, smallParameters } from '../support/engine_pair.js';
import { differences, KEYS, operations } from '../support/exact_operations.js';

/** Degree, primes, kernels and threads, cases in the suite; `npm run fuzz:simd` draws parameters, too. */
const sets: [number, number[], SimdOptions, number][] = [
  [4096, [50, 40, 30, 45, 50], {}, 26],
  [4096, [45, 50, 40, 36], { variant: 'plain' }, 20], // special prime smaller than the others
  [8192, [50, 33, 47, 38, 50], { threads: 2 }, 12],
  [16384, [49, 36, 50], { variant: 'plain' }, 6],
  [32768, [50, 31, 50], { threads: 3 }, 4],
];

describe.each(sets)('N = %d, primes of %p bits, %p: residues equal those of node-seal', (degree, bits, options, cases) => {
  let pair: EnginePair;
  beforeAll(async () => {
    pair = await openEnginePair(smallParameters(degree, bits), KEYS, options);
  });
  afterAll(() => pair.close());

  // None may be left out as not allowed here.
  test('on every operation at the top level', () => {
    const level = pair.parameters.maxLevel;
    const results = Object.entries(operations).map(([name, operation]) => [name, differences(pair, operation, { level, seed: 5 })]);
    expect(results).toEqual(Object.keys(operations).map((name) => [name, []]));
  });

  test('on operations at any level', () => {
    const { maxLevel } = pair.parameters;
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.entries(operations)),
        fc.integer({ min: 0, max: maxLevel }),
        fc.integer({ min: 0, max: 2 ** 30 }),
        ([name, operation], level, seed) => {
          const differing = differences(pair, operation, { level, seed });
          fc.pre(differing !== undefined);
          expect({ name, differing }).toEqual({ name, differing: [] });
        },
      ),
      { numRuns: cases, seed: 11 },
    );
  });
});

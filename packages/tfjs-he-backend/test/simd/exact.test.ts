import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SimdOptions } from '../../src/engines/simd_runtime.js';
import type { Both, EnginePair } from '../support/engine_pair.js';
import { openEnginePair, smallParameters } from '../support/engine_pair.js';
import { randomValues } from '../support/random.js';

/** SIMD_CASES=2000 npm test -- test/simd/exact: that many cases on every parameter set. */
const CASES = process.env.SIMD_CASES;
const STEPS = [1, 5, 1000];
/** The keys there are: of rotations, and of conjugation. */
const KEYS = [0, ...STEPS];

/** Degree, primes, kernels and threads, cases in the suite. */
const sets: [number, number[], SimdOptions, number][] = [
  [4096, [50, 40, 30, 45, 50], {}, 26],
  [4096, [45, 50, 36], { variant: 'plain' }, 20], // special prime smaller than the others
  [8192, [50, 33, 47, 38, 50], { threads: 2 }, 12],
  [16384, [49, 36, 50], { variant: 'plain' }, 6],
  [32768, [50, 31, 50], { threads: 3 }, 4],
];

interface Case {
  readonly level: number;
  readonly seed: number;
}

type Operation = (pair: EnginePair, a: Both, b: Both, c: Case) => Both | undefined;

/** Bytes: deep equality of long arrays takes seconds. */
function equal(a: Float64Array, b: Float64Array | undefined): boolean {
  return b !== undefined && Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

const onBoth = (pair: EnginePair, use: (engine: EnginePair['seal'], side: 'seal' | 'simd') => unknown): Both =>
  // The two engines have different handle types; every operation below is given handles of its own side.
  ({ seal: use(pair.seal, 'seal'), simd: use(pair.simd as unknown as EnginePair['seal'], 'simd') }) as Both;
const of = (x: { seal: unknown; simd: unknown }, side: 'seal' | 'simd') => x[side] as Both['seal'];
const plainOf = (x: { seal: unknown; simd: unknown }, side: 'seal' | 'simd') => x[side] as ReturnType<EnginePair['seal']['encode']>;

const operations: Record<string, Operation> = {
  add: (pair, a, b) => onBoth(pair, (e, s) => e.add(of(a, s), of(b, s))),
  sub: (pair, a, b) => onBoth(pair, (e, s) => e.sub(of(a, s), of(b, s))),
  negate: (pair, a) => onBoth(pair, (e, s) => e.negate(of(a, s))),
  multiply: (pair, a, b) => onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s))),
  square: (pair, a) => onBoth(pair, (e, s) => e.square(of(a, s))),
  relinearize(pair, a, b) {
    const product = onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s)));
    const result = onBoth(pair, (e, s) => e.relinearize(of(product, s)));
    pair.free(product);
    return result;
  },
  accumulateProduct(pair, a, b, { level, seed }) {
    const sum = onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s)));
    const other = pair.random(level, seed + 7);
    for (let i = 0; i < 3; i++)
      onBoth(pair, (e, s) => {
        e.accumulateProduct(of(sum, s), of(other, s), of(i % 2 === 0 ? a : b, s));
      });
    pair.free(other);
    return sum;
  },
  rescale(pair, a, _b, { level }) {
    if (level === 0) return undefined;
    const { levelScale, primeAt } = pair.parameters;
    const values = randomValues(pair.parameters.slots, 3);
    const p = pair.encode(values, level, (levelScale(level - 1) * primeAt(level)) / levelScale(level));
    const product = onBoth(pair, (e, s) => e.multiplyPlain(of(a, s), plainOf(p, s)));
    const result = onBoth(pair, (e, s) => e.rescale(of(product, s), levelScale(level - 1)));
    pair.freePlain(p);
    pair.free(product);
    return result;
  },
  'rescale of three polynomials': (pair, a, b, { level }) => {
    if (level === 0) return undefined;
    const product = onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s)));
    const { scale } = pair.seal.info(product.seal);
    const result = onBoth(pair, (e, s) => e.rescale(of(product, s), scale / pair.parameters.primeAt(level)));
    pair.free(product);
    return result;
  },
  modSwitchTo: (pair, a, _b, { level, seed }) => onBoth(pair, (e, s) => e.modSwitchTo(of(a, s), seed % (level + 1))),
  rotate: (pair, a, _b, { seed }) => onBoth(pair, (e, s) => e.rotate(of(a, s), STEPS[seed % STEPS.length]!)),
  conjugate: (pair, a) => onBoth(pair, (e, s) => e.conjugate(of(a, s))),
  addPlain(pair, a, _b, { level, seed }) {
    const p = pair.encode(randomValues(pair.parameters.slots, seed), level, pair.parameters.levelScale(level));
    const sum = onBoth(pair, (e, s) => e.addPlain(of(a, s), plainOf(p, s)));
    pair.freePlain(p);
    return sum;
  },
  accumulateProductPlain(pair, a, b, { level, seed }) {
    const plaintexts = [0, 1, 2].map((i) => pair.encode(randomValues(pair.parameters.slots, seed + i), level, 2 ** 20));
    const [first, ...rest] = plaintexts;
    const sum = onBoth(pair, (e, s) => e.multiplyPlain(of(a, s), plainOf(first!, s)));
    for (let i = 0; i < 36; i++)
      onBoth(pair, (e, s) => {
        e.accumulateProductPlain(of(sum, s), of(i % 3 === 0 ? a : b, s), plainOf(rest[i % 2]!, s));
      });
    pair.freePlain(...plaintexts);
    return sum;
  },
};

describe.each(sets)('N = %d, primes of %p bits, %p: residues equal those of node-seal', (degree, bits, options, cases) => {
  let pair: EnginePair;
  beforeAll(async () => {
    pair = await openEnginePair(smallParameters(degree, bits), KEYS, options);
  });
  afterAll(() => pair.close());

  test('on every operation and level', () => {
    const { maxLevel } = pair.parameters;
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.entries(operations)),
        fc.integer({ min: 0, max: maxLevel }),
        fc.integer({ min: 0, max: 2 ** 30 }),
        ([name, operation], level, seed) => {
          const [a, b] = [pair.random(level, seed), pair.random(level, seed + 1)];
          let result: Both | undefined;
          try {
            result = operation(pair, a, b, { level, seed });
          } catch (error) {
            // Scales grow beyond small moduli: SEAL's rule, and ours.
            expect(error).toMatchObject({ code: 'SCALE_OUT_OF_BOUNDS' });
          }
          if (result !== undefined) {
            const { seal, simd } = pair.residues(result);
            const differing = seal.flatMap((polynomial, k) => polynomial.flatMap((limb, i) => (equal(limb, simd[k]?.[i]) ? [] : [[k, i]])));
            expect({ name, polynomials: simd.length, differing }).toEqual({ name, polynomials: seal.length, differing: [] });
            expect(pair.simd.info(result.simd)).toEqual(pair.seal.info(result.seal));
            pair.free(result);
          }
          pair.free(a, b);
        },
      ),
      { numRuns: CASES === undefined ? cases : Number(CASES), seed: 11 },
    );
  });
});

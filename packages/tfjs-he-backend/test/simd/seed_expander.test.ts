import { describe, expect, test } from '@jest/globals';
import { choosePrimes } from '../../src/parameters/primes.js';
import { Heap } from '../../src/simd/heap.js';
import { loadKernels } from '../../src/simd/kernels.js';
import { LimbPool } from '../../src/simd/limbs.js';
import { SeedExpander } from '../../src/simd/seed_expander.js';
import { randomSource } from '../support/random.js';

const WORD = 2n ** 64n;
const BLOCK = 4096;
const IV = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];
/** RFC 7693, section 2.7. */
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const MIXED = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

const rotated = (x: bigint, by: bigint) => ((x >> by) | (x << (64n - by))) % WORD;

/** BLAKE2b of whole blocks of 16 words, the last of which ends after `bytes` in all. */
function blake2b(parameterBlock: readonly bigint[], blocks: readonly (readonly bigint[])[], bytes: number): bigint[] {
  let h = IV.map((word, i) => word ^ (parameterBlock[i] ?? 0n));
  blocks.forEach((m, index) => {
    const last = index === blocks.length - 1;
    const v = [...h, ...IV];
    v[12]! ^= BigInt(last ? bytes : 128 * (index + 1));
    if (last) v[14]! ^= WORD - 1n;
    for (let round = 0; round < 12; round++) {
      MIXED.forEach(([a, b, c, d], i) => {
        const [x, y] = [0, 1].map((k) => m[SIGMA[round % 10]![2 * i + k]!]!) as [bigint, bigint];
        for (const [word, first, second] of [[x, 32n, 24n] as const, [y, 16n, 63n] as const]) {
          v[a] = (v[a]! + v[b]! + word) % WORD;
          v[d] = rotated(v[d]! ^ v[a]!, first);
          v[c] = (v[c]! + v[d]!) % WORD;
          v[b] = rotated(v[b]! ^ v[c]!, second);
        }
      });
    }
    h = h.map((word, i) => word ^ v[i]! ^ v[8 + i]!);
  });
  return h;
}

const padded = (words: readonly bigint[]): bigint[] => Array.from({ length: 16 }, (_, i) => words[i] ?? 0n);

/** Block `counter` of BLAKE2Xb keyed with the seed, as SEAL draws it: 4096 bytes, 512 words ("BLAKE2X", section 2). */
function blake2xb(seed: readonly bigint[], counter: bigint): bigint[] {
  const length = BigInt(BLOCK) << 32n;
  const root = blake2b([64n | (64n << 8n) | (1n << 16n) | (1n << 24n), length], [padded(seed), padded([counter])], 136);
  return Array.from({ length: BLOCK / 64 }, (_, i) =>
    blake2b([64n | (64n << 32n), length | BigInt(i), 64n << 8n], [padded(root)], 64),
  ).flat();
}

function* wordsOf(seed: readonly bigint[]): Generator<bigint, never> {
  for (let counter = 0n; ; counter++) yield* blake2xb(seed, counter);
}

/** As SEAL's sample_poly_uniform: all words first, then replacements of those that are not below the largest multiple of their prime, less one. */
function reference(seed: readonly bigint[], primes: readonly bigint[], degree: number) {
  const words = wordsOf(seed);
  const drawn = primes.map(() => Array.from({ length: degree }, () => words.next().value));
  let replaced = 0;
  const residues = drawn.map((limb, j) => {
    const prime = primes[j]!;
    const bound = WORD - 1n - ((WORD - 1n) % prime) - 1n;
    return limb.map((first) => {
      let word = first;
      for (; word >= bound; replaced++) word = words.next().value;
      return Number(word % prime);
    });
  });
  return { residues, replaced };
}

/** Not prime, and so large that one word in 2050 is replaced: of primes of our chains, which are just below powers of two, hardly any is. */
const WASTEFUL = WORD / 2049n + 3n;

describe('a seed expands as in SEAL', () => {
  test.each([
    ['primes', choosePrimes(1024, [50, 49, 30]), false],
    ['moduli that replace words', [WASTEFUL, WASTEFUL + 2n, WASTEFUL + 4n], true],
  ])('modulo %s', async (_, moduli, someReplaced) => {
    const degree = 1024;
    const heap = new Heap();
    const { kernels } = await loadKernels(heap.memory);
    const pool = new LimbPool(heap, degree);
    const next = randomSource(7);
    const seed = Uint8Array.from({ length: 65 }, (_, i) => (i === 0 ? 1 : Math.floor(256 * next())));
    const view = new DataView(seed.buffer);
    const { residues, replaced } = reference(
      Array.from({ length: 8 }, (_, i) => view.getBigUint64(1 + 8 * i, true)),
      moduli,
      degree,
    );
    expect(replaced > 1).toBe(someReplaced);
    const limbs = pool.createPolynomial(moduli.length);
    new SeedExpander(heap, kernels, degree, moduli).expand(seed, limbs);
    expect(limbs.map(({ at }) => [...heap.doubles(at, degree)])).toEqual(residues);
  });
});

import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { choosePrimes, powMod } from '../../src/parameters/primes.js';
import { minimalPrimitiveRoot } from '../../src/ring/ntt.js';
import { Heap } from '../../src/simd/heap.js';
import { type Kernels, loadKernels } from '../../src/simd/kernels.js';
import { createPrimeTables, galoisPermutation } from '../../src/simd/tables.js';
import { centre, exactVariants, mod, residue, residues } from '../support/kernels.js';

const N = 16;
const primes = choosePrimes(1024, [50, 50, 49, 40, 30, 22]);

describe.each(await exactVariants())('kernels, variant %s', (variant) => {
  const heap = new Heap();
  let k: Kernels;
  beforeAll(async () => {
    ({ kernels: k } = await loadKernels(heap.memory, variant));
  });

  const limb = (values: readonly bigint[], p: bigint): number => {
    const at = heap.allocate(8 * values.length);
    heap.doubles(at, values.length).set(values.map((x) => centre(x, p)));
    return at;
  };
  /** Result as integers mod p, after checking that it is centred. */
  const read = (at: number, n: number, p: bigint): bigint[] =>
    Array.from(heap.doubles(at, n), (x) => {
      expect(Number.isInteger(x) && Math.abs(x) <= Number(p) / 2 + 1).toBe(true);
      return mod(BigInt(x), p);
    });
  const binary = (name: 'add' | 'subtract' | 'multiply', reference: (x: bigint, y: bigint) => bigint) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...primes).chain((p) => fc.tuple(fc.constant(p), residues(p, N), residues(p, N))),
        ([p, x, y]) => {
          const [a, b] = [limb(x, p), limb(y, p)];
          if (name === 'multiply') {
            const pairs = heap.allocate(8);
            heap.words(pairs, 2).set([a, b]);
            k.sumOfProducts(a, pairs, 1, 0, N, p.toString(2).length, Number(p), 0);
          } else k[name](a, a, b, N, Number(p));
          expect(read(a, N, p)).toEqual(x.map((v, i) => mod(reference(v, y[i]!), p)));
          heap.free(a, 8 * N);
          heap.free(b, 8 * N);
        },
      ),
      { numRuns: 200, seed: 21 },
    );
  };

  test('sums', () => binary('add', (x, y) => x + y));
  test('differences', () => binary('subtract', (x, y) => x - y));
  test('products', () => binary('multiply', (x, y) => x * y));

  test('the transform gives the values at the odd powers of the root, bit-reversed, and its inverse the coefficients', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(...primes)
          .chain((p) =>
            fc.integer({ min: 3, max: 6 }).chain((logN) => fc.tuple(fc.constant(p), fc.constant(logN), residues(p, 2 ** logN))),
          ),
        ([p, logN, x]) => {
          const n = 2 ** logN;
          const { forward, inverse } = createPrimeTables(heap, n, p);
          const root = minimalPrimitiveRoot(2 * n, p);
          const [src, dst, back] = [limb(x, p), heap.allocate(8 * n), heap.allocate(8 * n)];
          // The largest input that is allowed: residues need not be reduced.
          heap.doubles(src, n).set(x.map((v) => Number(v)));
          k.forward(dst, src, forward, 8 * n, logN, Number(p));
          const reversed = (i: number) => Number.parseInt(i.toString(2).padStart(logN, '0').split('').reverse().join(''), 2);
          const expected = x.map((_, i) => {
            const point = powMod(root, BigInt(2 * reversed(i) + 1), p);
            return x.reduceRight((sum, c) => mod(sum * point + c, p), 0n);
          });
          expect(read(dst, n, p)).toEqual(expected);
          k.inverse(back, dst, inverse, 8 * n, logN, Number(p));
          expect(Array.from(heap.doubles(back, n), (v) => BigInt(v))).toEqual(x);
        },
      ),
      { numRuns: 60, seed: 22 },
    );
  });

  test('a transform subtracted, scaled, and added to, is that in steps', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(...primes)
          .chain((p) =>
            fc
              .integer({ min: 3, max: 6 })
              .chain((logN) =>
                fc.tuple(fc.constant(p), fc.constant(logN), residues(p, 2 ** logN), residues(p, 2 ** logN), residue(p), fc.boolean()),
              ),
          ),
        ([p, logN, x, y, c, plus]) => {
          const n = 2 ** logN;
          const { forward } = createPrimeTables(heap, n, p);
          const [src, a, transformed, scratch] = [limb(x, p), limb(y, p), heap.allocate(8 * n), heap.allocate(8 * n)];
          k.forward(transformed, src, forward, 8 * n, logN, Number(p));
          const values = read(transformed, n, p);
          k.forwardSubtractScale(a, src, scratch, a, plus ? transformed : 0, forward, 8 * n, logN, centre(c, p), Number(p));
          expect(read(a, n, p)).toEqual(y.map((v, i) => mod((v - values[i]!) * c + (plus ? values[i]! : 0n), p)));
        },
      ),
      { numRuns: 100, seed: 27 },
    );
  });

  test.each([12, 13, 14, 15])('extreme residues pass through 2^%d points', (logN) => {
    const n = 2 ** logN;
    for (const p of choosePrimes(n, [50, 48, 30])) {
      const { forward, inverse } = createPrimeTables(heap, n, p);
      const [src, dst] = [heap.allocate(8 * n), heap.allocate(8 * n)];
      const last = Number(p) - 1;
      for (const f of [() => last, (i: number) => (i % 2 === 0 ? last : 1), (i: number) => (i % 3 === 0 ? last / 2 : last / 2 + 1)]) {
        const x = Float64Array.from({ length: n }, (_, i) => f(i));
        heap.doubles(src, n).set(x);
        k.forward(dst, src, forward, 8 * n, logN, Number(p));
        expect(heap.doubles(dst, n).every((v) => Math.abs(v) <= Number(p) / 2 + 1)).toBe(true);
        k.inverse(dst, dst, inverse, 8 * n, logN, Number(p));
        expect(heap.doubles(dst, n).every((v, i) => v === x[i])).toBe(true);
      }
    }
  });

  test('long sums of products, of the largest factors too', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...primes).chain((p) =>
          fc.tuple(
            fc.constant(p),
            fc.integer({ min: 1, max: 70 }).chain((n) => fc.tuple(residues(p, n), residues(p, n))),
            fc.boolean(),
            residue(p),
          ),
        ),
        ([p, [x, y], runs, start]) => {
          const dst = limb(new Array<bigint>(4).fill(start), p);
          const pairs = heap.allocate(8 * x.length);
          const list = x.flatMap((a, i) => [limb([a, a, a, a], p), limb([y[i]!, y[i]!, y[i]!, y[i]!], p)]);
          heap.words(pairs, list.length).set(list);
          k.sumOfProducts(dst, pairs, x.length, runs ? 1 : 0, 4, p.toString(2).length, Number(p), 1);
          const sum = mod(
            x.reduce((total, a, i) => total + a * y[i]!, start),
            p,
          );
          expect(read(dst, 4, p)).toEqual([sum, sum, sum, sum]);
          for (const at of list) heap.free(at, 32);
        },
      ),
      { numRuns: 300, seed: 23 },
    );
  });

  test('sums of products with factors that stand for runs of 1 to 32 values', () => {
    const n = 64;
    fc.assert(
      fc.property(
        fc
          .constantFrom(...primes)
          .chain((p) => fc.tuple(fc.constant(p), fc.array(residues(p, n), { minLength: 2, maxLength: 6 }), residues(p, n))),
        fc.integer({ min: 0, max: 5 }),
        ([p, factors, start], logRun) => {
          const dst = limb(start, p);
          const at = factors.map((factor) => limb(factor, p));
          const pairs = heap.allocate(8 * factors.length);
          // Each factor with the next, of which the first n / 2^logRun values count.
          const second = (j: number): number => (j + 1) % factors.length;
          heap.words(pairs, 2 * factors.length).set(at.flatMap((a, j) => [a, at[second(j)]!]));
          k.sumOfProducts(dst, pairs, factors.length, logRun, n, p.toString(2).length, Number(p), 1);
          const expected = start.map((first, i) =>
            mod(
              factors.reduce((sum, a, j) => sum + a[i]! * factors[second(j)]![i >> logRun]!, first),
              p,
            ),
          );
          expect(read(dst, n, p)).toEqual(expected);
          for (const address of [dst, ...at]) heap.free(address, 8 * n);
          heap.free(pairs, 8 * factors.length);
        },
      ),
      { numRuns: 100, seed: 25 },
    );
  });

  test('inner products with keys as placed, permuted back', () => {
    const parts = 12;
    fc.assert(
      fc.property(
        fc
          .constantFrom(...primes)
          .chain((p) =>
            fc.tuple(
              fc.constant(p),
              fc.array(residues(p, N), { minLength: parts, maxLength: parts }),
              fc.array(residues(p, N), { minLength: 2 * parts, maxLength: 2 * parts }),
              fc.integer({ min: 1, max: parts }),
              fc.constantFrom(1, 3, 5, 31),
            ),
          ),
        ([p, digits, key, count, g]) => {
          const permutation = galoisPermutation(N, g);
          const table = heap.allocate(4 * N);
          heap.words(table, N).set(permutation);
          const placed = heap.allocate(16 * N * parts);
          const source = heap.allocate(8 * N);
          key.forEach((values, i) => {
            heap.doubles(source, N).set(values.map(Number));
            k.placeKey(placed, source, g === 1 ? 0 : table, N, parts, i >> 1, i & 1, Number(p));
          });
          const list = heap.allocate(4 * count);
          const limbs = digits.slice(0, count).map((digit) => limb(digit, p));
          heap.words(list, count).set(limbs);
          const [dst0, dst1, out] = [heap.allocate(8 * N), heap.allocate(8 * N), heap.allocate(8 * N)];
          // One result begins with a digit, in another place or in its own; the other with nothing.
          const [bases, base] = [[digits[0]!, undefined], limb(digits[0]!, p)];
          const own = g === 1;
          if (own) heap.doubles(dst0, N).set(heap.doubles(base, N));
          k.innerProducts(dst0, dst1, own ? dst0 : base, 0, list, count, placed, parts, N, p.toString(2).length, Number(p));
          [dst0, dst1].forEach((dst, which) => {
            k.permute(out, dst, table, N);
            const expected = Array.from({ length: N }, (_, i) =>
              mod(
                digits
                  .slice(0, count)
                  .reduce(
                    (sum, digit, j) => sum + digit[permutation[i]!]! * key[2 * j + which]![i]!,
                    bases[which]?.[permutation[i]!] ?? 0n,
                  ),
                p,
              ),
            );
            expect(read(out, N, p)).toEqual(expected);
          });
        },
      ),
      { numRuns: 60, seed: 24 },
    );
  });
});

test('a fused multiply-add is used only where it rounds once', async () => {
  const { kernels, variant } = await loadKernels(new Heap().memory);
  expect(kernels.isFused(2 ** 27 + 1) === 1).toBe(variant === 'fused');
});

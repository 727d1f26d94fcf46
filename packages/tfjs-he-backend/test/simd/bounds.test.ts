import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { choosePrimes } from '../../src/parameters/primes.js';
import { Heap } from '../../src/simd/heap.js';
import { type Kernels, loadKernels } from '../../src/simd/kernels.js';
import { createPrimeTables } from '../../src/simd/tables.js';
import { randomSource } from '../support/random.js';

const ASSEMBLE = fileURLToPath(new URL('../../scripts/assemble.mjs', import.meta.url));

/** Kernels that stop where a value leaves the bounds derived in their comments. */
async function checkedKernels(fused: number, heap: Heap): Promise<Kernels> {
  const folder = mkdtempSync(join(tmpdir(), 'checked-'));
  try {
    const file = join(folder, 'kernels.wasm');
    await promisify(execFile)(process.execPath, [ASSEMBLE, '--checked', String(fused), file]);
    const { instance } = await WebAssembly.instantiate(readFileSync(file), { env: { memory: heap.memory } });
    return instance.exports as unknown as Kernels; // of the same sources as src/simd/binaries.ts
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const variants = (await loadKernels(new Heap().memory)).variant === 'fused' ? [1, 0] : [0];

describe.each(variants)('bounds hold, fused multiply-add: %d', (fused) => {
  const heap = new Heap();
  let k: Kernels;
  beforeAll(async () => {
    k = await checkedKernels(fused, heap);
  }, 120_000);

  /** Integers of the largest magnitude, of random signs, with smaller ones among them. */
  const extremes = (n: number, largest: number, seed: number): number => {
    const next = randomSource(seed);
    const at = heap.allocate(8 * n);
    const values = heap.doubles(at, n);
    for (let i = 0; i < n; i++) values[i] = Math.trunc((next() < 0.5 ? largest : -largest) * (next() < 0.9 ? 1 : next()));
    return at;
  };

  test.each([
    [50, 32768],
    [48, 32768],
    [49, 8192],
    [30, 4096],
  ])('of transforms, primes of %d bits, %d points', (bits, degree) => {
    const [prime = 0n] = choosePrimes(degree, [bits]);
    const p = Number(prime);
    const { forward, inverse } = createPrimeTables(heap, degree, prime);
    for (let logN = 3; logN <= Math.log2(degree); logN++) {
      const n = 2 ** logN;
      for (let seed = 0; seed < 3; seed++) {
        // Digits of any prime, up to 2^50 in magnitude; the inverse takes residues within p.
        const [a, b] = [extremes(n, 2 ** 50, 10 * logN + seed), extremes(n, p, 500 + 10 * logN + seed)];
        k.forward(a, a, forward, 8 * degree, logN, p);
        k.inverse(b, b, inverse, 8 * degree, logN, p);
        const [c, minuend] = [extremes(n, 2 ** 50, 20 * logN + seed), extremes(n, (p - 1) / 2, 30 * logN + seed)];
        k.forwardSubtractScale(minuend, c, a, minuend, minuend, forward, 8 * degree, logN, (p - 1) / 2, p);
        for (const at of [a, b, c, minuend]) heap.free(at, 8 * n);
      }
    }
  });

  test.each([50, 48, 30, 22])('of sums of products, primes of %d bits', (bits) => {
    const n = 64;
    const p = Number(choosePrimes(1024, [bits])[0]);
    const half = (p - 1) / 2;
    const [dst0, dst1] = [heap.allocate(8 * n), heap.allocate(8 * n)];
    // All products of one sign, and of random signs; more than one reduction takes.
    for (const seed of [0, 71]) {
      const factor = (i: number): number => {
        const at = extremes(n, half, seed + i);
        if (seed === 0) heap.doubles(at, n).fill(half);
        return at;
      };
      const digits = Array.from({ length: 31 }, (_, i) => factor(i));
      const lists = heap.allocate(8 * 150);
      heap.words(lists, 31).set(digits);
      const key = heap.allocate(16 * n * 31);
      heap.doubles(key, 2 * n * 31).set(Float64Array.from({ length: 2 * n * 31 }, (_, i) => (seed === 0 || i % 3 === 0 ? half : -half)));
      k.innerProducts(dst0, dst1, factor(90), factor(91), lists, 31, key, 31, n, bits, p);
      heap.words(lists, 300).set(Array.from({ length: 150 }, (_, i) => [digits[i % 31]!, digits[(i * (seed === 0 ? 1 : 7)) % 31]!]).flat());
      k.sumOfProducts(dst0, lists, 150, 0, n, bits, p, 1);
    }
    const other = extremes(n, half, 5);
    k.subtractScale(dst0, dst0, dst1, n, half, p);
    k.scale(dst1, dst0, n, half, p);
    k.addScaled(dst0, dst0, other, n, half, p);
    expect(heap.doubles(dst0, n).every((x) => Math.abs(x) <= p / 2 + 1)).toBe(true);
  });

  test('and what exceeds them stops a checked build', () => {
    const [prime = 0n] = choosePrimes(64, [50]);
    const { forward } = createPrimeTables(heap, 64, prime);
    const large = extremes(64, 2 ** 53, 9);
    expect(() => k.forward(large, large, forward, 8 * 64, 6, Number(prime))).toThrow(WebAssembly.RuntimeError);
    expect(() => k.add(large, large, large, 64, Number(prime))).toThrow(WebAssembly.RuntimeError);
  });
});

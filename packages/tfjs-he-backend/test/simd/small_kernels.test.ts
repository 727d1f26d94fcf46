import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { choosePrimes } from '../../src/parameters/primes.js';
import { Heap } from '../../src/simd/heap.js';
import { type Kernels, loadKernels } from '../../src/simd/kernels.js';
import { centre, exactVariants, mod, residue, residues } from '../support/kernels.js';
import { randomValues } from '../support/random.js';

const N = 16;
const primes = choosePrimes(1024, [50, 49, 40, 30, 22]);
/** A prime, N residues of it twice, and one more. */
const operands = fc.constantFrom(...primes).chain((p) => fc.tuple(fc.constant(p), residues(p, N), residues(p, N), residue(p)));

const heap = new Heap();

/** Writes doubles, runs the kernel, reads the result, frees. */
function through(inputs: readonly (readonly number[])[], size: number, run: (dst: number, at: readonly number[]) => void): number[] {
  const at = inputs.map((values) => {
    const address = heap.allocate(8 * values.length);
    heap.doubles(address, values.length).set(values);
    return address;
  });
  const dst = heap.allocate(8 * size);
  run(dst, at);
  const result = [...heap.doubles(dst, size)];
  inputs.forEach((values, i) => {
    heap.free(at[i]!, 8 * values.length);
  });
  heap.free(dst, 8 * size);
  return result;
}
const check = (property: (p: bigint, x: bigint[], y: bigint[], c: bigint) => void) =>
  fc.assert(
    fc.property(operands, ([p, x, y, c]) => property(p, x, y, c)),
    { numRuns: 100, seed: 31 },
  );
/** Results as integers modulo p, after checking that they are centred. */
const read = (out: readonly number[], p: bigint): bigint[] => {
  expect(out.every((v) => Math.abs(v) <= Number(p) / 2 + 1)).toBe(true);
  return out.map((v) => mod(BigInt(v), p));
};
const centres = (values: readonly bigint[], p: bigint) => values.map((v) => centre(v, p));

describe.each(await exactVariants())('kernels against integers of any size, variant %s', (variant) => {
  let k: Kernels;
  beforeAll(async () => {
    ({ kernels: k } = await loadKernels(heap.memory, variant));
  });

  test('negate', () =>
    check((p, x) => {
      const out = through([centres(x, p)], N, (dst, [a]) => k.negate(dst, a!, N));
      expect(read(out, p)).toEqual(x.map((v) => mod(-v, p)));
    }));

  test.each([1, 2, 3, 4])('addRuns with runs of 2^%d', (logRun) =>
    check((p, x, y) => {
      const short = y.slice(0, N >> logRun);
      const out = through([centres(x, p), centres(short, p)], N, (dst, [a, b]) => k.addRuns(dst, a!, b!, logRun, N, Number(p)));
      expect(read(out, p)).toEqual(x.map((v, i) => mod(v + short[i >> logRun]!, p)));
    }),
  );

  test('addScaled', () =>
    check((p, x, y, c) => {
      const out = through([centres(x, p), centres(y, p)], N, (dst, [a, b]) => k.addScaled(dst, a!, b!, N, centre(c, p), Number(p)));
      expect(read(out, p)).toEqual(x.map((v, i) => mod(v + y[i]! * c, p)));
    }));

  test('toCanonical gives the representative from 0 to p - 1', () =>
    check((p, x) => {
      const out = through([centres(x, p)], N, (dst, [a]) => k.toCanonical(dst, a!, N, Number(p)));
      expect(out.map(BigInt)).toEqual(x);
    }));

  test('toSymmetric gives the representative nearest to 0', () =>
    check((p, x) => {
      const out = through([x.map(Number)], N, (dst, [a]) => k.toSymmetric(dst, a!, N, Number(p)));
      expect(out).toEqual(centres(x, p));
    }));

  test('scale', () =>
    check((p, x, _y, c) => {
      const out = through([centres(x, p)], N, (dst, [a]) => k.scale(dst, a!, N, centre(c, p), Number(p)));
      expect(read(out, p)).toEqual(x.map((v) => mod(v * c, p)));
    }));

  test('subtractScale', () =>
    check((p, x, y, c) => {
      const out = through([centres(x, p), centres(y, p)], N, (dst, [a, b]) => k.subtractScale(dst, a!, b!, N, centre(c, p), Number(p)));
      expect(read(out, p)).toEqual(x.map((v, i) => mod((v - y[i]!) * c, p)));
    }));

  test.each([3, 5, 9, 31])('liftFor X -> X^%d gives what the digits after the automorphism are', (g) =>
    check((p, x) => {
      const out = through([x.map(Number)], N, (dst, [a]) => k.liftFor(dst, a!, N, g, Number(p)));
      // After the automorphism the coefficient is +-value mod p, lifted to [0, p); undone, that is:
      expect(out.map(BigInt)).toEqual(x.map((value, i) => ((i * g) % (2 * N) >= N ? -mod(-value, p) : value)));
    }),
  );

  test('reduceLarge takes integers beyond 2^53', () => {
    const [p] = primes;
    const values = [1, -1, 2 ** 52 + 1, -(2 ** 60), 2 ** 89 + 2 ** 40, -(2 ** 88) * 1.2345678912345, 2 ** 90 * (1 - 2 ** -53), 3];
    for (const digits of [1, 2]) {
      const large = values.map((v) => v * 2 ** (40 * (digits - 1)));
      const out = through([large], large.length, (dst, [a]) => k.reduceLarge(dst, a!, large.length, digits, Number(p)));
      expect(read(out, p!)).toEqual(large.map((v) => mod(BigInt(v), p!)));
    }
  });
});

describe.each(await exactVariants())('the encoder’s kernels, variant %s', (variant) => {
  let k: Kernels;
  beforeAll(async () => {
    ({ kernels: k } = await loadKernels(heap.memory, variant));
  });

  const angles = (count: number, turn: number) => Array.from({ length: count }, (_, j) => [Math.cos(turn * j), Math.sin(turn * j)]).flat();

  test.each([1, 2, 3, 5])('fft of 2^%d points is the sum over all points', (log) => {
    const n = 2 ** log;
    const logRoots = 6;
    const values = [...randomValues(2 * n, log)];
    const reversed = (i: number) => Number.parseInt(i.toString(2).padStart(log, '0').split('').reverse().join(''), 2);
    const given = Array.from({ length: n }, (_, i) => [values[2 * reversed(i)]!, values[2 * reversed(i) + 1]!]).flat();
    const data = heap.allocate(16 * n);
    heap.doubles(data, 2 * n).set(given);
    through([angles(2 ** (logRoots - 1), (-2 * Math.PI) / 2 ** logRoots)], 1, (_, [roots]) => k.fft(data, roots!, log, logRoots));
    const out = heap.doubles(data, 2 * n);
    for (let j = 0; j < n; j++) {
      let [re, im] = [0, 0];
      for (let t = 0; t < n; t++) {
        const [c, s] = [Math.cos((-2 * Math.PI * t * j) / n), Math.sin((-2 * Math.PI * t * j) / n)];
        re += values[2 * t]! * c - values[2 * t + 1]! * s;
        im += values[2 * t]! * s + values[2 * t + 1]! * c;
      }
      expect(Math.abs(out[2 * j]! - re) + Math.abs(out[2 * j + 1]! - im)).toBeLessThan(1e-12);
    }
    heap.free(data, 16 * n);
  });

  test('roundCoefficients rounds the twisted values and tells the largest', () => {
    const [log, logTwists, factor] = [3, 5, 2 ** 20];
    const n = 2 ** log;
    const values = [...randomValues(2 * n, 9)];
    let largest = 0;
    const out = through([values, angles(2 ** logTwists, -Math.PI / 2 ** (logTwists + 1))], 2 * n, (dst, [data, twists]) => {
      largest = k.roundCoefficients(dst, data!, twists!, log, logTwists, factor);
    });
    for (let j = 0; j < n; j++) {
      const [c, s] = [Math.cos((-Math.PI * j) / (2 * n)), Math.sin((-Math.PI * j) / (2 * n))];
      const [re, im] = [values[2 * j]!, values[2 * j + 1]!];
      expect(Math.abs(out[j]! - factor * (re * c - im * s))).toBeLessThanOrEqual(0.5 + 1e-6);
      expect(Math.abs(out[n + j]! - factor * (re * s + im * c))).toBeLessThanOrEqual(0.5 + 1e-6);
    }
    expect(out.every(Number.isInteger)).toBe(true);
    expect(largest).toBe(Math.max(...out.map(Math.abs)));
  });
});

import { expect, test } from '@jest/globals';
import { createKernelRaise, createPlainRaise, createRaise } from '../../src/client/raise.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { forwardNtt } from '../../src/ring/ntt.js';
import { createRing } from '../../src/ring/ring.js';
import { randomSource } from '../support/random.js';

const parametersOf = (degree: number, bits: readonly number[], refreshLevel: number) =>
  createParameters({ polyModulusDegree: degree, coeffModulus: choosePrimes(degree, bits), securityBits: 0, refreshLevel, valueBits: 1 });

/** Residues in NTT form of a polynomial of random integers in (-Q/2, Q/2), the outermost of them among its coefficients. */
function residuesOf(parameters: ReturnType<typeof parametersOf>, seed: number): Float64Array[] {
  const random = randomSource(seed);
  const ring = createRing(parameters);
  const primes = parameters.dataPrimes.slice(0, parameters.refreshLevel + 1);
  const full = primes.reduce((all, prime) => all * prime, 1n);
  const half = (full - 1n) / 2n;
  const randomInteger = (): bigint => primes.reduce((x, prime) => x * prime + BigInt(Math.floor(random() * Number(prime))), 0n) % full;
  const integers = Array.from({ length: parameters.polyModulusDegree }, randomInteger);
  integers.splice(0, 6, half, full - half, 0n, 1n, full - 1n, half - 1n);
  return primes.map((prime, i) => {
    const residues = Float64Array.from(integers, (x) => Number(x % prime));
    forwardNtt(residues, ring.tables(i));
    return residues;
  });
}

test.each([
  [1024, [50, 33, 41, 30, 50], 0],
  [1024, [50, 50, 50, 50], 1],
  [2048, [40, 40, 40, 40, 45, 50], 2],
  [4096, [49, 30, 50], 0],
] as const)(
  'degree %d, primes of %p bits: the kernels give what plain JavaScript gives, residue by residue',
  async (degree, bits, refreshLevel) => {
    const parameters = parametersOf(degree, bits, refreshLevel);
    const plain = createPlainRaise(parameters);
    const raises = [await createRaise(parameters), await createKernelRaise(parameters, 'plain')];
    for (const seed of [1, 2, 3]) {
      const low = residuesOf(parameters, seed);
      const before = low.map((residues) => residues.slice());
      const expected = plain(low);
      expect(expected).toHaveLength(parameters.maxLevel + 1);
      for (const raise of raises) expect(raise(low)).toEqual(expected);
      expect(low).toEqual(before);
    }
  },
);

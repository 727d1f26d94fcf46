import type { Parameters } from '../parameters/parameters.js';
import { createModulus, multiplyMod, reduce } from './modulus.js';
import { forwardNtt } from './ntt.js';
import type { Ring, RnsPolynomial } from './ring.js';
import { createSmallSampler, ERROR_STD } from './small_polynomials.js';

/** Two polynomials in NTT form. */
export type CiphertextPair = readonly [RnsPolynomial, RnsPolynomial];

/**
 * c + u z + (e_0 + f, e_1): `c` plus a fresh public-key encryption of zero (Lyubashevsky, Peikert and Regev, Eurocrypt 2010), where the public key `z` is a
 * symmetric encryption of zero. u is ternary, e_0 and e_1 are errors, f is uniform of `floodBits` bits and drowns what is left of the errors of `c`.
 * The second polynomial of the result is pseudorandom, also for who knows the secret key.
 * @param key 32 random bytes, never used again
 */
export function rerandomize(c: CiphertextPair, z: CiphertextPair, ring: Ring, floodBits: number, key: Uint8Array): CiphertextPair {
  const { degree, primes } = ring;
  const sampler = createSmallSampler(key);
  const u = sampler.ternary(degree);
  const flood = sampler.uniform(degree, floodBits);
  const errors = [sampler.error(degree).map((e, i) => e + (flood[i] ?? 0)), sampler.error(degree)];
  const sum = (own: RnsPolynomial, key: RnsPolynomial, error: Float64Array, factors: readonly Float64Array[]): Float64Array[] =>
    own.map((residues, i) => {
      const modulus = createModulus(primes[i] ?? 1n);
      const noise = transformed(error, ring, i);
      const factor = factors[i] ?? new Float64Array(degree);
      const zero = key[i] ?? new Float64Array(degree);
      return residues.map((r, n) => reduce(r + multiplyMod(factor[n] ?? 0, zero[n] ?? 0, modulus) + (noise[n] ?? 0), modulus));
    });
  const factors = c[0].map((_, i) => transformed(u, ring, i));
  const [first = new Float64Array(degree), second = new Float64Array(degree)] = errors;
  return [sum(c[0], z[0], first, factors), sum(c[1], z[1], second, factors)];
}

/** Residues of small integers modulo prime `index`, in NTT form. */
function transformed(values: Float64Array, ring: Ring, index: number): Float64Array {
  const modulus = createModulus(ring.primes[index] ?? 1n);
  const residues = values.map((v) => reduce(v, modulus));
  forwardNtt(residues, ring.tables(index));
  return residues;
}

/** Standard deviation of what {@link rerandomize} adds to a coefficient of the decryption: u e + e_0 + e_1 s + f, with ternary u and s. */
export function rerandomizationStd({ polyModulusDegree: n }: Pick<Parameters, 'polyModulusDegree'>, floodBits: number): number {
  const flood = floodBits === 0 ? 0 : 2 ** floodBits / Math.sqrt(12);
  return Math.hypot(ERROR_STD * Math.sqrt(1 + (4 / 3) * n), flood);
}

/**
 * Bits that outputs keep when they are re-randomised, -log2 of the standard deviation of the error in a slot: a coefficient error of d gives d (N / 2)^(1/2) / S.
 * @param floodBits 0 to 48
 */
export function rerandomizedBits(parameters: Parameters, floodBits: number): number {
  const { polyModulusDegree: n, refreshLevel } = parameters;
  return -Math.log2((rerandomizationStd(parameters, floodBits) * Math.sqrt(n / 2)) / parameters.levelScale(refreshLevel));
}

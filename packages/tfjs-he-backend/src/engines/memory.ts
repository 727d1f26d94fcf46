import { keySwitchingKeyBytes } from '../compiler/cost_model.js';
import type { Parameters } from '../parameters/parameters.js';
import { periodOf } from '../simd/period.js';

/** Bytes of one root of unity or residue with the quotient SEAL keeps beside it, forward and inverse. */
const TABLE_BYTES = 32;

/**
 * WebAssembly memory of a SEALContext over `primes` primes, the key prime included, with all lower levels or only the first. Every level has
 * transform tables for its primes and for an auxiliary base of one more (Bajard et al. 2016; CKKS never uses it, SEAL makes it all the same).
 * Measured with node-seal 7: 13 MB for N = 8192 and 5 primes, 55 MB for 16384 and 9, 311 MB for 32768 and 16.
 */
export function contextBytes(polyModulusDegree: number, primes: number, expandChain: boolean): number {
  const tables = expandChain ? primes * (primes + 2) : 4 * primes;
  return tables * TABLE_BYTES * polyModulusDegree;
}

/** Roots of unity and index map of a CKKSEncoder. */
export function encoderBytes(polyModulusDegree: number): number {
  return TABLE_BYTES * polyModulusDegree;
}

/** A relinearisation key or one Galois key, loaded. */
export function keyBytes({ polyModulusDegree, coeffModulus }: Parameters): number {
  return keySwitchingKeyBytes(polyModulusDegree, coeffModulus.length);
}

/** An encoded plaintext, or one polynomial of a ciphertext. */
export function polynomialBytes(polyModulusDegree: number, level: number): number {
  return 8 * polyModulusDegree * (level + 1);
}

/** Tables of the simd engine: twiddles and their quotients, forward and inverse, of every prime. */
export function simdContextBytes({ polyModulusDegree, coeffModulus }: Parameters): number {
  return TABLE_BYTES * polyModulusDegree * coeffModulus.length;
}

/** A key of the simd engine, with the permutation of its rotation. */
export function simdKeyBytes(parameters: Parameters): number {
  return keyBytes(parameters) + 4 * parameters.polyModulusDegree;
}

/** A plaintext of the simd engine: its period (of `values`, repeated over the slots) twice, modulo the primes of the level and the special one. */
export function simdPlaintextBytes(values: Float64Array, slots: number, level: number): number {
  const period = Number.isInteger(Math.log2(values.length)) ? periodOf(values) : slots;
  return 16 * period * (level + 2);
}

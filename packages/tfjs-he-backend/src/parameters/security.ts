/** 0 turns the check off: for tests only. */
export type SecurityBits = 0 | 128 | 192 | 256;

/** Largest ring degree of the table. */
export const LARGEST_DEGREE = 32768;

/**
 * Largest total modulus, in bits, by ring degree, for ternary secrets against classical attacks: Homomorphic Encryption
 * Standard (2018), tables of section 2.1.5, as built into Microsoft SEAL.
 */
const MAX_TOTAL_BITS: Readonly<Record<128 | 192 | 256, Readonly<Record<number, number>>>> = {
  128: { 1024: 27, 2048: 54, 4096: 109, 8192: 218, 16384: 438, 32768: 881 },
  192: { 1024: 19, 2048: 37, 4096: 75, 8192: 152, 16384: 305, 32768: 611 },
  256: { 1024: 14, 2048: 29, 4096: 58, 8192: 118, 16384: 237, 32768: 476 },
};

/** Largest allowed bit count of the product of all primes (the special one included); Infinity for securityBits 0, 0 for an unknown degree. */
export function maxTotalBits(polyModulusDegree: number, securityBits: SecurityBits): number {
  if (securityBits === 0) return Number.POSITIVE_INFINITY;
  return MAX_TOTAL_BITS[securityBits][polyModulusDegree] ?? 0;
}

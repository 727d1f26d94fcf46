import { HeError } from '../errors.js';

/** Bits of a positive integer: 1n has 1. */
export function bitLength(value: bigint): number {
  return value > 0n ? value.toString(2).length : 0;
}

/** base^exponent mod modulus. */
export function powMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

// These bases make Miller-Rabin a proof below 3.3e24 (Sorenson and Webster 2015), far above our 50 bits.
const WITNESSES = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n];

/** Miller-Rabin; exact below 3.3e24. */
export function isProbablePrime(candidate: bigint): boolean {
  if (candidate < 2n) return false;
  for (const p of WITNESSES) if (candidate % p === 0n) return candidate === p;
  let odd = candidate - 1n;
  let twos = 0;
  while ((odd & 1n) === 0n) {
    odd >>= 1n;
    twos++;
  }
  return WITNESSES.every((witness) => {
    let x = powMod(witness, odd, candidate);
    if (x === 1n || x === candidate - 1n) return true;
    for (let i = 1; i < twos; i++) {
      x = (x * x) % candidate;
      if (x === candidate - 1n) return true;
    }
    return false;
  });
}

/**
 * Distinct primes = 1 mod 2N of exactly the given bit sizes, each the largest not taken yet (SEAL's CoeffModulus::Create
 * chooses the same set for a size). Deterministic.
 * @throws HeError PARAMETERS_NO_PRIMES when a size has too few such primes.
 */
export function choosePrimes(polyModulusDegree: number, bitSizes: readonly number[]): bigint[] {
  const step = BigInt(2 * polyModulusDegree);
  const next = new Map<number, bigint>();
  return bitSizes.map((bits) => {
    const low = 1n << BigInt(bits - 1);
    const start = ((1n << BigInt(bits)) - 1n) / step;
    let candidate = next.get(bits) ?? start * step + 1n;
    while (candidate >= low && !(bitLength(candidate) === bits && isProbablePrime(candidate))) candidate -= step;
    if (candidate < low) {
      throw new HeError('PARAMETERS_NO_PRIMES', `too few ${bits}-bit primes = 1 mod ${step}`, {
        op: 'choosePrimes',
        hint: 'Ask for larger primes or fewer of this size.',
      });
    }
    next.set(bits, candidate - step);
    return candidate;
  });
}

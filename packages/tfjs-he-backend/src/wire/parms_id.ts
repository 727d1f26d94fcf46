import { blake2b } from '@noble/hashes/blake2.js';

const CKKS = 2n;

/**
 * SEAL's identifier of an encryption parameter set: BLAKE2b-256 over the 64-bit words scheme, degree, primes, plaintext modulus (0).
 * 32 bytes, as they stand in serialised objects.
 */
export function parmsId(polyModulusDegree: number, primes: readonly bigint[]): Uint8Array {
  const words = [CKKS, BigInt(polyModulusDegree), ...primes, 0n];
  const view = new DataView(new ArrayBuffer(8 * words.length));
  words.forEach((word, i) => {
    view.setBigUint64(8 * i, word, true);
  });
  return blake2b(new Uint8Array(view.buffer), { dkLen: 32 });
}

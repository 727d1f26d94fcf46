import { chacha20 } from '@noble/ciphers/chacha.js';
import { HeError } from '../errors.js';

const CHUNK = 1 << 16;
/** SEAL's error: the difference of two sums of 21 bits. */
const ERROR_BITS = 21;
const ERROR_MASK = 2 ** ERROR_BITS - 1;
/** Standard deviation of {@link SmallSampler.error}, per coefficient. */
export const ERROR_STD = Math.sqrt(ERROR_BITS / 2);
/** Most bits of {@link SmallSampler.uniform}: six bytes. */
export const MAX_UNIFORM_BITS = 48;

/** Random polynomials with small integer coefficients, from the stream of ChaCha20 under a key that is used once. */
export interface SmallSampler {
  /** Uniform in {-1, 0, 1}. */
  ternary(degree: number): Float64Array;
  /** Centred binomial of standard deviation 3.24, as SEAL's errors. */
  error(degree: number): Float64Array;
  /** Uniform in [-2^(bits - 1), 2^(bits - 1)), for 0 to 48 bits; zero for 0 bits. */
  uniform(degree: number, bits: number): Float64Array;
}

/** @param key 32 secret bytes, never used again */
export function createSmallSampler(key: Uint8Array): SmallSampler {
  if (key.length !== 32) throw new HeError('MASK_MISMATCH', 'the key has not 32 bytes', { op: 'sample', hint: 'Draw 32 random bytes.' });
  const nonce = new Uint8Array(12);
  let chunk = new Uint8Array(0);
  let chunks = 0;
  let at = 0;
  const bytes = (count: number): number => {
    if (at + count > chunk.length) {
      new DataView(nonce.buffer).setUint32(0, chunks++, true);
      chunk = chacha20(key, nonce, new Uint8Array(CHUNK));
      at = 0;
    }
    let value = 0;
    for (let i = count - 1; i >= 0; i--) value = value * 256 + (chunk[at + i] ?? 0);
    at += count;
    return value;
  };
  return {
    ternary: (degree) =>
      Float64Array.from({ length: degree }, () => {
        let byte = bytes(1);
        while (byte === 255) byte = bytes(1);
        return (byte % 3) - 1;
      }),
    error: (degree) => Float64Array.from({ length: degree }, () => ones(bytes(3) & ERROR_MASK) - ones(bytes(3) & ERROR_MASK)),
    uniform: (degree, bits) => Float64Array.from({ length: degree }, () => (bits === 0 ? 0 : (bytes(6) % 2 ** bits) - 2 ** (bits - 1))),
  };
}

/** Bits set in a word. */
function ones(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/**
 * Expands the seed of a ciphertext's pseudorandom polynomial as Microsoft SEAL 4 does: BLAKE2Xb (Aumasson et al., "BLAKE2X", 2016) keyed with the seed, in
 * blocks of 4096 bytes numbered by a 64-bit counter; words are rejected above the largest multiple of the prime. Public data: the seed is sent.
 */

// Bytes of a state: chain value (64), work vector (128), message block (128), root hash (64), seed (64), output block (4096).
const WORK = 64;
const MESSAGE = 192;
const ROOT = 320;
const SEED = 384;
const OUTPUT = 448;
const BLOCK: usize = 4096;
/** Bytes of scratch memory that {@link expandUniform} needs, the seed at offset 384. */
export const EXPAND_SCRATCH: i32 = OUTPUT + <i32>BLOCK;

const IV: usize = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b,
  0x5be0cd19137e2179,
]);

// Byte offsets of message words, by round (rounds 10 and 11 repeat 0 and 1).
const SIGMA: usize = memory.data<u8>([
  0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120,
  112, 80, 32, 64, 72, 120, 104, 48, 8, 96, 0, 16, 88, 56, 40, 24,
  88, 64, 96, 0, 40, 16, 120, 104, 80, 112, 24, 48, 56, 8, 72, 32,
  56, 72, 24, 8, 104, 96, 88, 112, 16, 48, 40, 80, 32, 0, 120, 64,
  72, 0, 40, 56, 16, 32, 80, 120, 112, 8, 88, 96, 48, 64, 24, 104,
  16, 96, 48, 80, 0, 88, 64, 24, 32, 104, 56, 40, 120, 112, 8, 72,
  96, 40, 8, 120, 112, 104, 32, 80, 0, 56, 48, 24, 72, 16, 64, 88,
  104, 88, 56, 112, 96, 8, 24, 72, 40, 0, 120, 32, 64, 48, 16, 80,
  48, 120, 112, 72, 88, 24, 0, 64, 96, 16, 104, 56, 8, 32, 80, 40,
  80, 16, 64, 32, 56, 48, 8, 40, 120, 88, 72, 112, 24, 96, 104, 0,
]);

// @ts-ignore: decorator
@inline
function mix(v: usize, m: usize, s: usize, i: usize, a: usize, b: usize, c: usize, d: usize): void {
  let va = load<u64>(v + (a << 3));
  let vb = load<u64>(v + (b << 3));
  let vc = load<u64>(v + (c << 3));
  let vd = load<u64>(v + (d << 3));
  va += vb + load<u64>(m + load<u8>(s + i));
  vd = rotr<u64>(vd ^ va, 32);
  vc += vd;
  vb = rotr<u64>(vb ^ vc, 24);
  va += vb + load<u64>(m + load<u8>(s + i + 1));
  vd = rotr<u64>(vd ^ va, 16);
  vc += vd;
  vb = rotr<u64>(vb ^ vc, 63);
  store<u64>(v + (a << 3), va);
  store<u64>(v + (b << 3), vb);
  store<u64>(v + (c << 3), vc);
  store<u64>(v + (d << 3), vd);
}

/** BLAKE2b's compression function (RFC 7693, section 3.2) after `count` bytes. */
function compress(state: usize, count: u64, last: bool): void {
  const v = state + WORK;
  const m = state + MESSAGE;
  memory.copy(v, state, 64);
  memory.copy(v + 64, IV, 64);
  store<u64>(v + 96, load<u64>(v + 96) ^ count);
  if (last) store<u64>(v + 112, ~load<u64>(v + 112));
  for (let round = 0; round < 12; round++) {
    const s = SIGMA + (<usize>(round < 10 ? round : round - 10) << 4);
    mix(v, m, s, 0, 0, 4, 8, 12);
    mix(v, m, s, 2, 1, 5, 9, 13);
    mix(v, m, s, 4, 2, 6, 10, 14);
    mix(v, m, s, 6, 3, 7, 11, 15);
    mix(v, m, s, 8, 0, 5, 10, 15);
    mix(v, m, s, 10, 1, 6, 11, 12);
    mix(v, m, s, 12, 2, 7, 8, 13);
    mix(v, m, s, 14, 3, 4, 9, 14);
  }
  for (let i: usize = 0; i < 64; i += 8) store<u64>(state + i, load<u64>(state + i) ^ load<u64>(v + i) ^ load<u64>(v + 64 + i));
}

/** Chain value from the first three words of the parameter block. */
function initialise(state: usize, word0: u64, word1: u64, word2: u64): void {
  memory.copy(state, IV, 64);
  store<u64>(state, load<u64>(state) ^ word0);
  store<u64>(state, load<u64>(state, 8) ^ word1, 8);
  store<u64>(state, load<u64>(state, 16) ^ word2, 16);
}

/** The block number `counter` of the stream. */
function refill(state: usize, counter: u64): void {
  const xofLength = <u64>BLOCK << 32;
  // Root: 64-byte digest, 64-byte key, fanout and depth 1.
  initialise(state, 64 | (64 << 8) | (1 << 16) | (1 << 24), xofLength, 0);
  memory.fill(state + MESSAGE, 0, 128);
  memory.copy(state + MESSAGE, state + SEED, 64);
  compress(state, 128, false);
  memory.fill(state + MESSAGE, 0, 128);
  store<u64>(state + MESSAGE, counter);
  compress(state, 136, true);
  memory.copy(state + ROOT, state, 64);
  // Leaves: 64-byte digests of the root, numbered, leaf and inner length 64.
  for (let i: usize = 0; i < BLOCK; i += 64) {
    initialise(state, 64 | (<u64>64 << 32), xofLength | (i >> 6), 64 << 8);
    memory.fill(state + MESSAGE, 0, 128);
    memory.copy(state + MESSAGE, state + ROOT, 64);
    compress(state, 64, true);
    memory.copy(state + OUTPUT + i, state, 64);
  }
}

/**
 * Fills `count` limbs (addresses in `limbs`, u32) with residues in [0, p) of the primes listed in `primes` (u64). First all words are drawn, prime by
 * prime; then, in the same order, replacements for those rejected.
 */
export function expandUniform(limbs: usize, primes: usize, count: usize, n: usize, state: usize): void {
  let counter: u64 = 0;
  let position: usize = BLOCK;
  for (let j: usize = 0; j < count; j++) {
    const limb = <usize>load<u32>(limbs + (j << 2));
    for (let i: usize = 0, end = n << 3; i < end; i += 8, position += 8) {
      if (position == BLOCK) {
        refill(state, counter++);
        position = 0;
      }
      store<u64>(limb + i, load<u64>(state + OUTPUT + position));
    }
  }
  for (let j: usize = 0; j < count; j++) {
    const limb = <usize>load<u32>(limbs + (j << 2));
    const prime = load<u64>(primes + (j << 3));
    const bound = u64.MAX_VALUE - (u64.MAX_VALUE % prime) - 1;
    for (let i: usize = 0, end = n << 3; i < end; i += 8) {
      let word = load<u64>(limb + i);
      for (; word >= bound; position += 8) {
        if (position == BLOCK) {
          refill(state, counter++);
          position = 0;
        }
        word = load<u64>(state + OUTPUT + position);
      }
      store<f64>(limb + i, <f64>(word % prime));
    }
  }
}

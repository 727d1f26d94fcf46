/**
 * Microsoft SEAL 4.1's uncompressed serialisation of CKKS objects, read and written by bounds-checked code. Every object starts with a
 * 16-byte header: magic 0xA15E, header size, version, compression, 2 reserved bytes, total size (u64). All numbers are little-endian.
 *
 *   ciphertext  header, parms id (32), NTT flag (1), polynomials, degree, primes (u64 each), scale (f64), correction factor (u64), array
 *   plaintext   header, parms id (32), coefficient count (u64), scale (f64), array
 *   keys        header, parms id (32), outer count (u64), per outer entry: inner count (u64), inner ciphertexts
 *   array       header, word count (u64), words; a ciphertext whose second polynomial is pseudorandom stores the first only and then
 *   seed        header, generator (u8, 1 = BLAKE2xb), 64 bytes
 */
import { HeError } from '../errors.js';
import { readWords, writeWords } from './residues.js';
import { expectParmsId, expectWord, HEADER, malformed, need, type RnsShape, readHeader, viewOf, writeHeader } from './seal_object.js';

const ARRAY_PREFIX = HEADER + 8;
const CIPHERTEXT_PREFIX = HEADER + 32 + 1 + 5 * 8;
const PLAINTEXT_PREFIX = HEADER + 32 + 2 * 8;
/** Generator byte and seed. */
export const SEED_BYTES = 1 + 64;
const BLAKE2XB = 1;

/** Residue polynomials in NTT form: polynomials[i][prime]. With a seed, only the first polynomial is present. */
export interface RnsCiphertext {
  readonly scale: number;
  readonly polynomials: readonly (readonly Float64Array[])[];
  readonly seed?: Uint8Array;
}

/** Exact size of a serialised ciphertext of `polynomials` stored polynomials. */
export function sealCiphertextBytes(shape: RnsShape, polynomials: number, seeded: boolean): number {
  const words = polynomials * shape.primes.length * shape.degree;
  return CIPHERTEXT_PREFIX + ARRAY_PREFIX + 8 * words + (seeded ? HEADER + SEED_BYTES : 0);
}

function writeArray(view: DataView, at: number, degree: number, residues: readonly Float64Array[]): number {
  const words = residues.length * degree;
  writeHeader(view, at, ARRAY_PREFIX + 8 * words);
  view.setBigUint64(at + HEADER, BigInt(words), true);
  residues.forEach((residue, i) => {
    writeWords(view, at + ARRAY_PREFIX + 8 * degree * i, residue);
  });
  return at + ARRAY_PREFIX + 8 * words;
}

function readArray(bytes: Uint8Array, at: number, shape: RnsShape, polynomials: number): Float64Array[][] {
  const words = polynomials * shape.primes.length * shape.degree;
  readHeader(bytes, at, ARRAY_PREFIX + 8 * words, 'the residue array');
  const view = viewOf(bytes);
  expectWord(view, at + HEADER, words, 'the word count');
  return Array.from({ length: polynomials }, (_, i) =>
    shape.primes.map((prime, j) =>
      readWords(view, at + ARRAY_PREFIX + 8 * shape.degree * (i * shape.primes.length + j), shape.degree, prime),
    ),
  );
}

/** Returns the offset after it. */
export function writeCiphertextAt(out: Uint8Array, at: number, shape: RnsShape, c: RnsCiphertext): number {
  const size = sealCiphertextBytes(shape, c.polynomials.length, c.seed !== undefined);
  const view = viewOf(out);
  writeHeader(view, at, size);
  out.set(shape.parmsId, at + HEADER);
  view.setUint8(at + 48, 1);
  view.setBigUint64(at + 49, BigInt(c.seed === undefined ? c.polynomials.length : 2), true);
  view.setBigUint64(at + 57, BigInt(shape.degree), true);
  view.setBigUint64(at + 65, BigInt(shape.primes.length), true);
  view.setFloat64(at + 73, c.scale, true);
  view.setBigUint64(at + 81, 1n, true);
  const end = writeArray(view, at + CIPHERTEXT_PREFIX, shape.degree, c.polynomials.flat());
  if (c.seed !== undefined) {
    writeHeader(view, end, HEADER + SEED_BYTES);
    out.set(c.seed, end + HEADER);
  }
  return at + size;
}

/** @throws HeError as {@link readSealCiphertext}. */
export function readCiphertextAt(bytes: Uint8Array, at: number, shape: RnsShape, polynomials: number, seeded: boolean): RnsCiphertext {
  const size = sealCiphertextBytes(shape, polynomials, seeded);
  readHeader(bytes, at, size, 'the ciphertext');
  expectParmsId(bytes, at + HEADER, shape);
  const view = viewOf(bytes);
  if (view.getUint8(at + 48) !== 1) throw malformed('the ciphertext is not in NTT form');
  expectWord(view, at + 49, seeded ? 2 : polynomials, 'the number of polynomials');
  expectWord(view, at + 57, shape.degree, 'the degree');
  expectWord(view, at + 65, shape.primes.length, 'the number of primes');
  const scale = view.getFloat64(at + 73, true);
  if (!Number.isFinite(scale) || scale <= 0) throw malformed('the scale is not a positive number');
  expectWord(view, at + 81, 1, 'the correction factor');
  const read = readArray(bytes, at + CIPHERTEXT_PREFIX, shape, polynomials);
  if (!seeded) return { scale, polynomials: read };
  const seedAt = at + size - HEADER - SEED_BYTES;
  readHeader(bytes, seedAt, HEADER + SEED_BYTES, 'the seed');
  const seed = bytes.slice(seedAt + HEADER, seedAt + HEADER + SEED_BYTES);
  checkSeed(seed);
  return { scale, polynomials: read, seed };
}

/** @throws HeError WIRE_UNSUPPORTED unless the seed is for BLAKE2xb. */
export function checkSeed(seed: Uint8Array): void {
  if (seed[0] !== BLAKE2XB) {
    throw new HeError('WIRE_UNSUPPORTED', 'the seed is for an unknown generator', {
      op: 'load',
      hint: 'Use SEAL with its default generator.',
    });
  }
}

/** A ciphertext at the shape's level, as SEAL saves it; with a seed, as it saves fresh ones. */
export function writeSealCiphertext(shape: RnsShape, c: RnsCiphertext): Uint8Array {
  const out = new Uint8Array(sealCiphertextBytes(shape, c.polynomials.length, c.seed !== undefined));
  writeCiphertextAt(out, 0, shape, c);
  return out;
}

/** @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH, WIRE_RESIDUE_RANGE, WIRE_UNSUPPORTED. */
export function readSealCiphertext(bytes: Uint8Array, shape: RnsShape, polynomials: number, seeded: boolean): RnsCiphertext {
  if (bytes.length > sealCiphertextBytes(shape, polynomials, seeded)) throw malformed('bytes follow the ciphertext');
  return readCiphertextAt(bytes, 0, shape, polynomials, seeded);
}

/** Plaintext in NTT form. */
export function writeSealPlaintext(shape: RnsShape, scale: number, residues: readonly Float64Array[]): Uint8Array {
  const words = shape.primes.length * shape.degree;
  const out = new Uint8Array(PLAINTEXT_PREFIX + ARRAY_PREFIX + 8 * words);
  const view = viewOf(out);
  writeHeader(view, 0, out.length);
  out.set(shape.parmsId, HEADER);
  view.setBigUint64(48, BigInt(words), true);
  view.setFloat64(56, scale, true);
  writeArray(view, PLAINTEXT_PREFIX, shape.degree, residues);
  return out;
}

/** Residues of a plaintext in NTT form, by prime. @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH, WIRE_RESIDUE_RANGE. */
export function readSealPlaintext(bytes: Uint8Array, shape: RnsShape): Float64Array[] {
  const words = shape.primes.length * shape.degree;
  if (bytes.length > PLAINTEXT_PREFIX + ARRAY_PREFIX + 8 * words) throw malformed('bytes follow the plaintext');
  readHeader(bytes, 0, PLAINTEXT_PREFIX + ARRAY_PREFIX + 8 * words, 'the plaintext');
  expectParmsId(bytes, HEADER, shape);
  expectWord(viewOf(bytes), 48, words, 'the coefficient count');
  return readArray(bytes, PLAINTEXT_PREFIX, shape, 1).flat();
}

/** Stored polynomials of a fresh ciphertext at `at`, and whether a seed follows, by the size that it states. */
export function partForm(bytes: Uint8Array, at: number, shape: RnsShape): [polynomials: number, seeded: boolean] {
  need(bytes, at + HEADER);
  const size = viewOf(bytes).getBigUint64(at + 8, true);
  return size === BigInt(sealCiphertextBytes(shape, 1, true)) ? [1, true] : [2, false];
}

/** A ciphertext of two polynomials, of which the second may be a seed. @throws HeError as readSealCiphertext. */
export function readFreshSealCiphertext(bytes: Uint8Array, shape: RnsShape): RnsCiphertext {
  return readSealCiphertext(bytes, shape, ...partForm(bytes, 0, shape));
}

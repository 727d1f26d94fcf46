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

const MAGIC = 0xa15e;
const HEADER = 16;
const CIPHERTEXT_PREFIX = HEADER + 32 + 1 + 5 * 8;
const PLAINTEXT_PREFIX = HEADER + 32 + 2 * 8;
const KEYS_PREFIX = HEADER + 32 + 8;
const ARRAY_PREFIX = HEADER + 8;
/** Generator byte and seed. */
export const SEED_BYTES = 1 + 64;
const BLAKE2XB = 1;

/** Primes of one level (or of the keys) with their SEAL identifier. */
export interface RnsShape {
  readonly degree: number;
  readonly primes: readonly number[];
  readonly parmsId: Uint8Array;
}

/** Residue polynomials in NTT form: polynomials[i][prime]. With a seed, only the first polynomial is present. */
export interface RnsCiphertext {
  readonly scale: number;
  readonly polynomials: readonly (readonly Float64Array[])[];
  readonly seed?: Uint8Array;
}

function malformed(what: string): HeError {
  return new HeError('WIRE_MALFORMED', what, { op: 'load', hint: 'Send what SEAL saved with ComprModeType.none, unchanged.' });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function need(bytes: Uint8Array, end: number): void {
  if (end > bytes.length) {
    throw new HeError('WIRE_TRUNCATED', `${bytes.length} bytes where ${end} are needed`, { op: 'load', hint: 'Send the object again.' });
  }
}

function readHeader(bytes: Uint8Array, at: number, size: number, what: string): void {
  need(bytes, at + HEADER);
  const view = viewOf(bytes);
  if (view.getUint16(at, true) !== MAGIC || view.getUint8(at + 2) !== HEADER) throw malformed(`${what} has no SEAL header`);
  if (view.getUint8(at + 3) !== 4) throw malformed(`${what} is not of SEAL 4`);
  if (view.getUint8(at + 5) !== 0 || view.getUint16(at + 6, true) !== 0) throw malformed(`${what} is compressed or uses reserved bytes`);
  if (view.getBigUint64(at + 8, true) !== BigInt(size)) throw malformed(`${what} states a wrong size`);
  need(bytes, at + size);
}

function writeHeader(view: DataView, at: number, size: number): void {
  view.setUint16(at, MAGIC, true);
  view.setUint8(at + 2, HEADER);
  view.setUint8(at + 3, 4);
  view.setUint8(at + 4, 1);
  view.setBigUint64(at + 8, BigInt(size), true);
}

function expectWord(view: DataView, at: number, expected: number, what: string): void {
  if (view.getBigUint64(at, true) !== BigInt(expected)) throw malformed(`${what} is not ${expected}`);
}

function expectParmsId(bytes: Uint8Array, at: number, shape: RnsShape): void {
  if (shape.parmsId.some((byte, i) => bytes[at + i] !== byte)) {
    throw new HeError('WIRE_PARAMETERS_MISMATCH', 'the object belongs to other parameters or another level', {
      op: 'load',
      hint: 'Make it with the parameters of the manifest.',
    });
  }
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

function writeCiphertextAt(out: Uint8Array, at: number, shape: RnsShape, c: RnsCiphertext): number {
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

function readCiphertextAt(bytes: Uint8Array, at: number, shape: RnsShape, polynomials: number, seeded: boolean): RnsCiphertext {
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

export function readSealPlaintext(bytes: Uint8Array, shape: RnsShape): Float64Array[] {
  const words = shape.primes.length * shape.degree;
  if (bytes.length > PLAINTEXT_PREFIX + ARRAY_PREFIX + 8 * words) throw malformed('bytes follow the plaintext');
  readHeader(bytes, 0, PLAINTEXT_PREFIX + ARRAY_PREFIX + 8 * words, 'the plaintext');
  expectParmsId(bytes, HEADER, shape);
  expectWord(viewOf(bytes), 48, words, 'the coefficient count');
  return readArray(bytes, PLAINTEXT_PREFIX, shape, 1).flat();
}

/** Seeded key-switching keys with one non-empty outer entry, the last, at `index`: a relinearisation key (0) or one Galois key. */
export function writeSealKeys(shape: RnsShape, index: number, parts: readonly RnsCiphertext[]): Uint8Array {
  const part = sealCiphertextBytes(shape, 1, true);
  const out = new Uint8Array(KEYS_PREFIX + 8 * (index + 1) + parts.length * part);
  const view = viewOf(out);
  writeHeader(view, 0, out.length);
  out.set(shape.parmsId, HEADER);
  view.setBigUint64(48, BigInt(index + 1), true);
  view.setBigUint64(KEYS_PREFIX + 8 * index, BigInt(parts.length), true);
  let at = KEYS_PREFIX + 8 * (index + 1);
  for (const c of parts) at = writeCiphertextAt(out, at, shape, c);
  return out;
}

/** Reads seeded keys whose only non-empty outer entry is at `index`, of `outer` entries in all. */
export function readSealKeys(bytes: Uint8Array, shape: RnsShape, index: number, outer: number): RnsCiphertext[] {
  const parts = shape.primes.length - 1;
  const part = sealCiphertextBytes(shape, 1, true);
  const size = KEYS_PREFIX + 8 * outer + parts * part;
  if (bytes.length > size) throw malformed('bytes follow the keys');
  readHeader(bytes, 0, size, 'the key');
  expectParmsId(bytes, HEADER, shape);
  const view = viewOf(bytes);
  expectWord(view, 48, outer, 'the number of keys');
  let at = KEYS_PREFIX;
  let read: RnsCiphertext[] = [];
  for (let i = 0; i < outer; i++) {
    expectWord(view, at, i === index ? parts : 0, `the length of key ${i}`);
    at += 8;
    if (i !== index) continue;
    read = Array.from({ length: parts }, (_, j) => readCiphertextAt(bytes, at + j * part, shape, 1, true));
    at += parts * part;
  }
  return read;
}

/** Keys of SEAL 4.1, uncompressed: see seal_format.ts. */
import { partForm, type RnsCiphertext, readCiphertextAt, sealCiphertextBytes, writeCiphertextAt } from './seal_format.js';
import { expectParmsId, expectWord, HEADER, malformed, need, type RnsShape, readHeader, viewOf, writeHeader } from './seal_object.js';

const KEYS_PREFIX = HEADER + 32 + 8;

/** Key-switching keys with one non-empty outer entry, the last, at `index`: a relinearisation key (0) or one Galois key. */
export function writeSealKeys(shape: RnsShape, index: number, parts: readonly RnsCiphertext[]): Uint8Array {
  const size = parts.reduce((sum, c) => sum + sealCiphertextBytes(shape, c.polynomials.length, c.seed !== undefined), 0);
  const out = new Uint8Array(KEYS_PREFIX + 8 * (index + 1) + size);
  const view = viewOf(out);
  writeHeader(view, 0, out.length);
  out.set(shape.parmsId, HEADER);
  view.setBigUint64(48, BigInt(index + 1), true);
  view.setBigUint64(KEYS_PREFIX + 8 * index, BigInt(parts.length), true);
  let at = KEYS_PREFIX + 8 * (index + 1);
  for (const c of parts) at = writeCiphertextAt(out, at, shape, c);
  return out;
}

/** Most bytes of keys with `keys` non-empty entries of `outer`: what they have when none is seeded. */
export function sealKeysBytes(shape: RnsShape, keys: number, outer: number): number {
  return KEYS_PREFIX + 8 * outer + keys * (shape.primes.length - 1) * sealCiphertextBytes(shape, 2, false);
}

/**
 * Where the ciphertexts of keys begin, by outer entry. Reads lengths only: {@link readSealKeyPart} checks the rest.
 * @param indices of the non-empty entries of `outer`, ascending: others must be empty
 * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH.
 */
export function sealKeyPlaces(bytes: Uint8Array, shape: RnsShape, indices: readonly number[], outer: number): Map<number, number[]> {
  readHeader(bytes, 0, bytes.length, 'the key');
  need(bytes, KEYS_PREFIX);
  expectParmsId(bytes, HEADER, shape);
  const view = viewOf(bytes);
  expectWord(view, 48, outer, 'the number of keys');
  const parts = shape.primes.length - 1;
  const wanted = new Set(indices);
  const places = new Map<number, number[]>();
  let at = KEYS_PREFIX;
  for (let i = 0; i < outer; i++) {
    need(bytes, at + 8);
    expectWord(view, at, wanted.has(i) ? parts : 0, `the length of key ${i}`);
    at += 8;
    if (!wanted.has(i)) continue;
    const starts: number[] = [];
    for (let j = 0; j < parts; j++) {
      starts.push(at);
      at += sealCiphertextBytes(shape, ...partForm(bytes, at, shape));
      need(bytes, at);
    }
    places.set(i, starts);
  }
  if (at !== bytes.length) throw malformed('bytes follow the keys');
  return places;
}

/** One ciphertext of a key, seeded or not. @throws HeError WIRE_*. */
export function readSealKeyPart(bytes: Uint8Array, at: number, shape: RnsShape): RnsCiphertext {
  return readCiphertextAt(bytes, at, shape, ...partForm(bytes, at, shape));
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

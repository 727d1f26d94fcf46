import type { Parameters } from '../parameters/parameters.js';
import { galoisElement } from '../ring/galois.js';
import { expectFrame, FRAME_HEADER, type FrameHeader, fingerprint, packRns, rnsBodyBytes, unpackRns, writeFrameHeader } from './frames.js';
import { parmsId } from './parms_id.js';
import { type RnsCiphertext, readSealCiphertext, writeSealCiphertext } from './seal_format.js';
import { readSealKeys } from './seal_key_format.js';
import type { RnsShape } from './seal_object.js';

/** Frames <-> SEAL's serialised bytes, for one parameter set. "Seal" arguments and results are what saveToArray gives and loadFromArray takes. */
export interface SealFrames {
  /** All primes and their identifier: what keys are over. */
  readonly keyShape: RnsShape;
  /** Primes and identifier of the ciphertexts of a level. */
  shape(level: number): RnsShape;
  readonly keyFrameBytes: number;
  /** SEAL ciphertext (size 2, `level`) -> frame; seeded ones must be fresh. */
  frameCiphertext(seal: Uint8Array, level: number, seeded: boolean): Uint8Array;
  /** Frame -> SEAL ciphertext at the canonical scale. */
  unframeCiphertext(frame: Uint8Array, level: number, seeded: boolean): Uint8Array;
  /** Seeded SEAL relinearisation key -> frame. */
  frameRelinearization(seal: Uint8Array): Uint8Array;
  /** Seeded SEAL Galois keys holding exactly the key of `step` -> frame. */
  frameGalois(seal: Uint8Array, step: number): Uint8Array;
  /** The same frames as residues, for engines that compute on them without SEAL. */
  readCiphertext(frame: Uint8Array, level: number, seeded: boolean): RnsCiphertext;
  /** A ciphertext of size 2 with canonical residues. */
  writeCiphertext(c: RnsCiphertext, level: number): Uint8Array;
  readRelinearization(frame: Uint8Array): RnsCiphertext[];
  readGalois(frame: Uint8Array, step: number): RnsCiphertext[];
}

/** SEAL keeps the key of Galois element g at index (g - 1) / 2 of N. */
export function galoisIndexOf(step: number, degree: number): number {
  return (galoisElement(step, degree) - 1) / 2;
}

/**
 * Reading throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH, WIRE_LEVEL, WIRE_RESIDUE_RANGE or WIRE_UNSUPPORTED; levels are those of the parameters.
 */
export function createSealFrames(parameters: Parameters): SealFrames {
  const { polyModulusDegree: degree, coeffModulus, dataPrimes } = parameters;
  const print = fingerprint(parameters);
  const shapeOf = (primes: readonly bigint[]): RnsShape => ({ degree, primes: primes.map(Number), parmsId: parmsId(degree, primes) });
  const shapes = dataPrimes.map((_, level) => shapeOf(dataPrimes.slice(0, level + 1)));
  const keyShape = shapeOf(coeffModulus);
  const parts = dataPrimes.length;
  const partBytes = rnsBodyBytes(degree, coeffModulus, 1, true);

  const shape = (level: number): RnsShape => {
    const known = shapes[level];
    if (known === undefined) throw new RangeError(`no level ${level}`);
    return known;
  };
  const bodyBytes = (level: number, seeded: boolean) => rnsBodyBytes(degree, dataPrimes.slice(0, level + 1), seeded ? 1 : 2, seeded);
  const header = (level: number, seeded: boolean): FrameHeader => ({
    kind: seeded ? 'fresh' : 'ciphertext',
    engine: 'seal',
    level,
    step: 0,
  });

  const frameKey = (ciphertexts: readonly RnsCiphertext[], head: FrameHeader): Uint8Array => {
    const out = new Uint8Array(FRAME_HEADER + parts * partBytes);
    writeFrameHeader(out, head, print);
    ciphertexts.forEach((c, i) => {
      packRns(c, coeffModulus, out, FRAME_HEADER + i * partBytes);
    });
    return out;
  };
  const readKey = (frame: Uint8Array, head: FrameHeader): RnsCiphertext[] => {
    expectFrame(frame, head, print, parts * partBytes);
    return Array.from({ length: parts }, (_, i) => unpackRns(frame, FRAME_HEADER + i * partBytes, degree, coeffModulus, 1, true, 1));
  };
  const readCiphertext = (frame: Uint8Array, level: number, seeded: boolean): RnsCiphertext => {
    expectFrame(frame, header(level, seeded), print, bodyBytes(level, seeded));
    const primes = dataPrimes.slice(0, level + 1);
    return unpackRns(frame, FRAME_HEADER, degree, primes, seeded ? 1 : 2, seeded, parameters.levelScale(level));
  };
  const writeCiphertext = (c: RnsCiphertext, level: number, seeded: boolean): Uint8Array => {
    const out = new Uint8Array(FRAME_HEADER + bodyBytes(level, seeded));
    writeFrameHeader(out, header(level, seeded), print);
    packRns(c, dataPrimes, out, FRAME_HEADER);
    return out;
  };
  const relinearization: FrameHeader = { kind: 'relinearization', engine: 'seal', level: parameters.maxLevel, step: 0 };
  const galois = (step: number): FrameHeader => ({ kind: 'galois', engine: 'seal', level: parameters.maxLevel, step });

  return {
    keyShape,
    shape,
    keyFrameBytes: FRAME_HEADER + parts * partBytes,
    frameCiphertext: (seal, level, seeded) =>
      writeCiphertext(readSealCiphertext(seal, shape(level), seeded ? 1 : 2, seeded), level, seeded),
    unframeCiphertext: (frame, level, seeded) => writeSealCiphertext(shape(level), readCiphertext(frame, level, seeded)),
    frameRelinearization: (seal) => frameKey(readSealKeys(seal, keyShape, 0, 1), relinearization),
    frameGalois: (seal, step) => frameKey(readSealKeys(seal, keyShape, galoisIndexOf(step, degree), degree), galois(step)),
    readCiphertext,
    writeCiphertext: (c, level) => writeCiphertext(c, level, false),
    readRelinearization: (frame) => readKey(frame, relinearization),
    readGalois: (frame, step) => readKey(frame, galois(step)),
  };
}

import type { Parameters } from '../parameters/parameters.js';
import { galoisElement } from '../ring/galois.js';
import { expectFrame, FRAME_HEADER, type FrameHeader, fingerprint, packRns, rnsBodyBytes, unpackRns, writeFrameHeader } from './frames.js';
import { parmsId } from './parms_id.js';
import { type RnsCiphertext, type RnsShape, readSealCiphertext, readSealKeys, writeSealCiphertext, writeSealKeys } from './seal_format.js';

/** Frames <-> SEAL's serialised bytes, for one parameter set. "Seal" arguments and results are what saveToArray gives and loadFromArray takes. */
export interface SealFrames {
  /** Primes and identifier of the ciphertexts of a level. */
  shape(level: number): RnsShape;
  readonly ciphertextFrameBytes: (level: number, seeded: boolean) => number;
  readonly keyFrameBytes: number;
  /** SEAL ciphertext (size 2, `level`) -> frame; seeded ones must be fresh. */
  frameCiphertext(seal: Uint8Array, level: number, seeded: boolean): Uint8Array;
  /** Frame -> SEAL ciphertext at the canonical scale. */
  unframeCiphertext(frame: Uint8Array, level: number, seeded: boolean): Uint8Array;
  /** Seeded SEAL relinearisation key -> frame. */
  frameRelinearization(seal: Uint8Array): Uint8Array;
  unframeRelinearization(frame: Uint8Array): Uint8Array;
  /** Seeded SEAL Galois keys holding exactly the key of `step` -> frame. */
  frameGalois(seal: Uint8Array, step: number): Uint8Array;
  unframeGalois(frame: Uint8Array, step: number): Uint8Array;
}

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
  const unframeKey = (frame: Uint8Array, head: FrameHeader, index: number): Uint8Array => {
    expectFrame(frame, head, print, parts * partBytes);
    const read = Array.from({ length: parts }, (_, i) => unpackRns(frame, FRAME_HEADER + i * partBytes, degree, coeffModulus, 1, true, 1));
    return writeSealKeys(keyShape, index, read);
  };
  const relinearization: FrameHeader = { kind: 'relinearization', engine: 'seal', level: parameters.maxLevel, step: 0 };
  const galois = (step: number): FrameHeader => ({ kind: 'galois', engine: 'seal', level: parameters.maxLevel, step });
  // SEAL keeps the key of Galois element g at index (g - 1) / 2 of N.
  const galoisIndex = (step: number) => (galoisElement(step, degree) - 1) / 2;

  return {
    shape,
    ciphertextFrameBytes: (level, seeded) => FRAME_HEADER + bodyBytes(level, seeded),
    keyFrameBytes: FRAME_HEADER + parts * partBytes,
    frameCiphertext(seal, level, seeded) {
      const out = new Uint8Array(FRAME_HEADER + bodyBytes(level, seeded));
      writeFrameHeader(out, header(level, seeded), print);
      packRns(readSealCiphertext(seal, shape(level), seeded ? 1 : 2, seeded), dataPrimes, out, FRAME_HEADER);
      return out;
    },
    unframeCiphertext(frame, level, seeded) {
      expectFrame(frame, header(level, seeded), print, bodyBytes(level, seeded));
      const primes = dataPrimes.slice(0, level + 1);
      const read = unpackRns(frame, FRAME_HEADER, degree, primes, seeded ? 1 : 2, seeded, parameters.levelScale(level));
      return writeSealCiphertext(shape(level), read);
    },
    frameRelinearization: (seal) => frameKey(readSealKeys(seal, keyShape, 0, 1), relinearization),
    unframeRelinearization: (frame) => unframeKey(frame, relinearization, 0),
    frameGalois: (seal, step) => frameKey(readSealKeys(seal, keyShape, galoisIndex(step), degree), galois(step)),
    unframeGalois: (frame, step) => unframeKey(frame, galois(step), galoisIndex(step)),
  };
}

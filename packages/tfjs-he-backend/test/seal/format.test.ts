import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CKKSEncoder, Encryptor, MainModule, SEALContext } from 'node-seal';
import { HeError } from '../../src/errors.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { createCentredLift } from '../../src/ring/lift.js';
import { forwardNtt, inverseNtt } from '../../src/ring/ntt.js';
import { createRing } from '../../src/ring/ring.js';
import { createSealContext } from '../../src/seal/context.js';
import { loadSealModule } from '../../src/seal/load.js';
import { readSealCiphertext, readSealPlaintext, writeSealCiphertext, writeSealPlaintext } from '../../src/wire/seal_format.js';
import { createSealFrames } from '../../src/wire/seal_frames.js';

const parameters = createParameters({
  polyModulusDegree: 2048,
  coeffModulus: choosePrimes(2048, [50, 41, 30, 50]),
  securityBits: 0,
  refreshLevel: 1,
});
const { maxLevel, slots } = parameters;
const frames = createSealFrames(parameters);
const values = Float64Array.from({ length: slots }, (_, i) => Math.cos(i));

describe("SEAL's serialised objects", () => {
  let seal: MainModule;
  let context: SEALContext;
  let encoder: CKKSEncoder;
  let encryptor: Encryptor;

  beforeAll(async () => {
    seal = await loadSealModule();
    context = createSealContext(seal, 2048, parameters.coeffModulus, { expandChain: true, securityBits: 0 });
    encoder = new seal.CKKSEncoder(context);
    const generator = new seal.KeyGenerator(context);
    encryptor = new seal.Encryptor(context, generator.createPublicKey(), generator.secretKey());
  });
  afterAll(() => {
    encryptor.delete();
    encoder.delete();
    context.delete();
  });

  const plaintext = () => {
    const p = new seal.Plaintext();
    encoder.encode(values, 2 ** 30, p);
    return p;
  };
  const fullCiphertext = () => {
    const c = new seal.Ciphertext();
    encryptor.encryptSymmetric(plaintext(), c);
    return c.saveToArray(seal.ComprModeType.none) as Uint8Array;
  };

  test('identifiers of all levels are computed as SEAL does', () => {
    let data = context.firstContextData();
    for (let level = maxLevel; level >= 0; level--) {
      const words: BigUint64Array = data.parmsId().values();
      expect(Buffer.from(frames.shape(level).parmsId)).toEqual(Buffer.from(BigUint64Array.from(words).buffer));
      if (level > 0) data = data.nextContextData();
    }
  });

  test('plaintexts are read and written byte for byte', () => {
    const bytes: Uint8Array = plaintext().saveToArray(seal.ComprModeType.none);
    const residues = readSealPlaintext(bytes, frames.shape(maxLevel));
    expect(Buffer.from(writeSealPlaintext(frames.shape(maxLevel), 2 ** 30, residues))).toEqual(Buffer.from(bytes));
  });

  test("our transform is SEAL's: small coefficients come out of one prime and give the residues of the others", () => {
    const residues = readSealPlaintext(plaintext().saveToArray(seal.ComprModeType.none), frames.shape(maxLevel));
    const ring = createRing(parameters);
    const first = residues[0]!.slice();
    inverseNtt(first, ring.tables(0));
    const others = createCentredLift(ring, 0, maxLevel)([first]);
    others.forEach((lifted, i) => {
      forwardNtt(lifted, ring.tables(i + 1));
      expect(lifted).toEqual(residues[i + 1]);
    });
  });

  test('full and seeded ciphertexts are read and written byte for byte', () => {
    const full = fullCiphertext();
    const seeded: Uint8Array = encryptor.encryptSymmetricSerializable(plaintext()).saveToArray(seal.ComprModeType.none);
    const shape = frames.shape(maxLevel);
    expect(Buffer.from(writeSealCiphertext(shape, readSealCiphertext(full, shape, 2, false)))).toEqual(Buffer.from(full));
    expect(Buffer.from(writeSealCiphertext(shape, readSealCiphertext(seeded, shape, 1, true)))).toEqual(Buffer.from(seeded));
  });

  test('any damage to a ciphertext before its residues is refused', () => {
    const full = fullCiphertext();
    const shape = frames.shape(maxLevel);
    // Prefix (89 bytes) and array header (24), except SEAL's minor version (bytes 4 and 93) and the scale (73..80).
    const structural = Array.from({ length: 113 }, (_, i) => i).filter((i) => i !== 4 && i !== 93 && (i < 73 || i > 80));
    fc.assert(
      fc.property(fc.constantFrom(...structural), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = full.slice();
        bytes[at]! ^= flip;
        expect(() => readSealCiphertext(bytes, shape, 2, false)).toThrow(HeError);
      }),
      { numRuns: 400, seed: 8 },
    );
  });

  test('truncation and excess are refused', () => {
    const full = fullCiphertext();
    const shape = frames.shape(maxLevel);
    for (const length of [0, 15, 16, 88, 112, full.length - 1]) {
      expect(() => readSealCiphertext(full.subarray(0, length), shape, 2, false)).toThrow(HeError);
    }
    const longer = new Uint8Array(full.length + 1);
    longer.set(full);
    expect(() => readSealCiphertext(longer, shape, 2, false)).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED' }));
  });

  test('a ciphertext of another level is refused', () => {
    expect(() => readSealCiphertext(fullCiphertext(), frames.shape(maxLevel - 1), 2, false)).toThrow(HeError);
  });
});

import { constants, deflateSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { CKKSEncoder, Decryptor, Encryptor, KeyGenerator, MainModule, SEALContext } from 'node-seal';
import { createEngineRuntime } from '../../src/engines/runtime.js';
import { HeError } from '../../src/errors.js';
import { createSealContext } from '../../src/seal/context.js';
import { loadSealModule } from '../../src/seal/load.js';
import { fromSeal, toSeal } from '../../src/server/seal_ciphertexts.js';
import { withoutCompression } from '../../src/wire/seal_compression.js';
import { readSealKeyObjects, type SealKeyObjects } from '../../src/wire/seal_keys.js';
import { smallParameters } from '../support/engine_pair.js';
import { createMutator } from '../support/mutate.js';

const STEPS = [0, 1, 7];
const parameters = smallParameters(2048, [50, 40, 50]);
const { maxLevel, slots } = parameters;
const scale = parameters.levelScale(maxLevel);
const values = Float64Array.from({ length: slots }, (_, i) => Math.cos(i));

let seal: MainModule;
let context: SEALContext;
let generator: KeyGenerator;
let encoder: CKKSEncoder;
let encryptor: Encryptor;
let decryptor: Decryptor;
beforeAll(async () => {
  seal = await loadSealModule();
  context = createSealContext(seal, 2048, parameters.coeffModulus, { expandChain: true, securityBits: 0 });
  generator = new seal.KeyGenerator(context);
  encoder = new seal.CKKSEncoder(context);
  encryptor = new seal.Encryptor(context, generator.createPublicKey(), generator.secretKey());
  decryptor = new seal.Decryptor(context, generator.secretKey());
});
afterAll(() => {
  for (const object of [decryptor, encryptor, encoder, generator, context]) object.delete();
});

const MODES = ['none', 'zlib', 'zstd'] as const;
type Mode = (typeof MODES)[number];

function keys(mode: Mode, seeded: boolean): SealKeyObjects {
  const [relinearization, galois] = seeded
    ? [generator.createRelinKeysSerializable(), generator.createGaloisKeysSerializableWithSteps(Int32Array.from(STEPS))]
    : [generator.createRelinKeys(), generator.createGaloisKeysWithSteps(Int32Array.from(STEPS))];
  return {
    relinKeys: relinearization.saveToArray(seal.ComprModeType[mode]),
    galoisKeys: galois.saveToArray(seal.ComprModeType[mode]),
  };
}

function ciphertext(mode: Mode, seeded: boolean, at = scale): Uint8Array {
  const plaintext = new seal.Plaintext();
  encoder.encode(values, at, plaintext);
  if (seeded) return encryptor.encryptSymmetricSerializable(plaintext).saveToArray(seal.ComprModeType[mode]);
  const made = new seal.Ciphertext();
  encryptor.encryptSymmetric(plaintext, made);
  return made.saveToArray(seal.ComprModeType[mode]);
}

/** The object with another body under its header, whose size is right. */
function withBody(object: Uint8Array, mode: Mode, body: Uint8Array): Uint8Array {
  const out = Buffer.concat([object.subarray(0, 16), body]);
  out.writeUInt8(MODES.indexOf(mode), 5);
  out.writeBigUInt64LE(BigInt(out.length), 8);
  return out;
}

describe.each(MODES.flatMap((mode) => [true, false].map((seeded) => [mode, seeded] as const)))(
  'what SEAL saved with compression %s, seeded: %p',
  (mode, seeded) => {
    test('serves both engines, with the same results, which SEAL loads', async () => {
      const objects = keys(mode, seeded);
      const frames = await fromSeal(parameters, [ciphertext(mode, seeded)]);
      const results: Uint8Array[] = [];
      const switched: Buffer[] = [];
      for (const name of ['seal', 'simd'] as const) {
        const runtime = await createEngineRuntime(name, parameters, STEPS);
        const engine = await runtime.openSeal(objects);
        const a = engine.load(frames[0]!);
        switched.push(Buffer.concat([engine.rotate(a, 7), engine.rotate(a, 1), engine.conjugate(a)].map((c) => engine.save(c))));
        const sum = engine.add(engine.conjugate(engine.rotate(a, 7)), engine.rotate(a, 1));
        const product = engine.rescale(engine.relinearize(engine.multiply(sum, a)), parameters.levelScale(maxLevel - 1));
        results.push(engine.save(product));
        engine.close();
        runtime.dispose();
      }
      expect(Buffer.compare(switched[0]!, switched[1]!)).toBe(0);
      const loaded = new seal.Ciphertext();
      loaded.loadFromArray(context, toSeal(parameters, results.slice(1))[0]!);
      const plaintext = new seal.Plaintext();
      decryptor.decrypt(loaded, plaintext);
      const decrypted: Float64Array = encoder.decodeFloat64(plaintext);
      const expected = (i: number) => (values[(i + 7) % slots]! + values[(i + 1) % slots]!) * values[i]!;
      expect(decrypted.every((value, i) => Math.abs(value - expected(i)) < 1e-3)).toBe(true);
    });
  },
);

describe('compressed objects', () => {
  const most = 10_000_000;

  test('are SEAL’s uncompressed ones once decompressed', async () => {
    const key = generator.createRelinKeys();
    const plain: Uint8Array = key.saveToArray(seal.ComprModeType.none);
    for (const mode of MODES) {
      const bytes: Uint8Array = key.saveToArray(seal.ComprModeType[mode]);
      expect(Buffer.compare(await withoutCompression(bytes, plain.length), plain)).toBe(0);
      await expect(withoutCompression(bytes, plain.length - 1)).rejects.toMatchObject({ code: 'WIRE_MALFORMED' });
    }
  });

  test.each(['zlib', 'zstd'] as const)('that would decompress (%s) to a gigabyte are given up at once', async (mode) => {
    const chunk = Buffer.alloc(2 ** 20);
    const zstdFrame = zstdCompressSync(chunk);
    // Frames of zstd may follow each other; zlib repeats itself well enough in one.
    const bomb = mode === 'zlib' ? deflateSync(Buffer.alloc(2 ** 27)) : Buffer.concat(Array.from({ length: 1024 }, () => zstdFrame));
    expect(bomb.length).toBeLessThan(2 ** 18);
    const object = withBody(ciphertext('none', true), mode, bomb);
    const before = process.memoryUsage();
    await expect(withoutCompression(object, most)).rejects.toMatchObject({
      code: 'WIRE_MALFORMED',
      message: expect.stringContaining('more than'),
    });
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(5 * most);
  });

  test('of zstd with a window beyond 8 MiB are refused', async () => {
    const plain = Buffer.alloc(9 * 2 ** 20, 'window');
    const wide = zstdCompressSync(plain, { params: { [constants.ZSTD_c_windowLog]: 24, [constants.ZSTD_c_contentSizeFlag]: 0 } });
    await expect(withoutCompression(withBody(ciphertext('none', true), 'zstd', wide), 2 ** 27)).rejects.toMatchObject({
      code: 'WIRE_MALFORMED',
    });
  });

  test('that are cut, damaged or of another kind are typed errors, or differ in residues only', async () => {
    const wholes = MODES.flatMap((mode) => [true, false].map((seeded) => keys(mode, seeded)));
    const attempt = async (objects: SealKeyObjects) => {
      try {
        const reader = await readSealKeyObjects(objects, parameters, STEPS);
        reader.relinearization();
        for (const step of STEPS) reader.galois(step);
      } catch (error) {
        expect(error).toBeInstanceOf(HeError);
        expect((error as HeError).code).toMatch(/^WIRE_/);
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...wholes),
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (whole, galois, where, flip, cut) => {
          const name = galois ? 'galoisKeys' : 'relinKeys';
          const bytes = whole[name].slice();
          // Most damage goes to the structure, at the beginning.
          const at = Math.floor(where ** 4 * (bytes.length - 1));
          bytes[at]! ^= flip;
          await attempt({ ...whole, [name]: cut ? bytes.subarray(0, at) : bytes });
        },
      ),
      { numRuns: 150 },
    );
    await attempt({ relinKeys: wholes[0]!.galoisKeys, galoisKeys: wholes[0]!.relinKeys });
  });

  test('of ciphertexts that are damaged are typed errors, or ciphertexts of the same form', async () => {
    const whole = MODES.flatMap((mode) => [true, false].map((seeded) => ciphertext(mode, seeded)));
    const mutator = createMutator(whole, 31);
    const { length } = (await fromSeal(parameters, [whole[1]!]))[0]!;
    let refused = 0;
    for (let i = 0; i < 150; i++) {
      try {
        const [bytes] = await fromSeal(parameters, [mutator.next()]);
        expect(bytes!.length).toBeLessThanOrEqual(length);
      } catch (error) {
        expect(error).toBeInstanceOf(HeError);
        expect((error as HeError).code).toMatch(/^WIRE_/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });

  test('hold the keys of the manifest, no more and no fewer', async () => {
    const objects = keys('zstd', true);
    for (const steps of [
      [0, 1],
      [0, 1, 7, 9],
      [0, 1, 9],
    ]) {
      await expect(readSealKeyObjects(objects, parameters, steps)).rejects.toMatchObject({ code: expect.stringMatching(/^WIRE_/) });
    }
  });

  test('of zstd are refused where nothing can decompress them, with what to use instead', async () => {
    const spy = jest.spyOn(process, 'getBuiltinModule').mockImplementation((() => undefined) as unknown as typeof process.getBuiltinModule);
    const attempt = withoutCompression(ciphertext('zstd', true), most);
    await expect(attempt).rejects.toMatchObject({ code: 'WIRE_UNSUPPORTED', hint: expect.stringContaining('zlib') });
    spy.mockRestore();
  });

  test('at another scale than the program’s are refused', async () => {
    await expect(fromSeal(parameters, [ciphertext('zstd', true, scale * 1.001)])).rejects.toMatchObject({
      code: 'WIRE_MALFORMED',
      op: 'fromSeal',
    });
  });

  test('are of no use to the engine mock', async () => {
    const runtime = await createEngineRuntime('mock', parameters, STEPS);
    await expect(runtime.openSeal(keys('none', true))).rejects.toMatchObject({ code: 'WIRE_UNSUPPORTED' });
  });
});

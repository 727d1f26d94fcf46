import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HeError } from '../../src/errors.js';
import type { MaskSeed } from '../../src/ring/mask.js';
import { type C, openSession, parameters, precisionBits, type Session } from './session.js';

const { slots, maxLevel, refreshLevel } = parameters;
const top = parameters.levelScale(maxLevel);
const below = parameters.levelScale(maxLevel - 1);
/** Scale of a plaintext factor that makes the product rescale to the canonical scale. */
const factorScale = (below * parameters.primeAt(maxLevel)) / top;
const vector = (f: (slot: number) => number) => Float64Array.from({ length: slots }, (_, slot) => f(slot));
const x = (slot: number) => Math.sin(slot);
const y = (slot: number) => Math.cos(3 * slot + 1);
const at = (slot: number) => ((slot % slots) + slots) % slots;

/** Least bits: fresh noise is about 2^-22 here, and every switch down costs about two bits. */
const LINEAR_BITS = 15;
/** Most of the noise of key switching comes to slot 0: some 17 bits are left, but keys are random, and once in some hundred runs it is 15. */
const ROTATED_BITS = 13;
const PRODUCT_BITS = 14;

/** What every engine must do. `empty` is checked for levels, scales and failures only. */
export function conformance(name: 'empty' | 'mock' | 'seal' | 'simd'): void {
  describe(`${name} engine`, () => {
    let session: Session;
    let a: C;
    let b: C;

    beforeAll(async () => {
      session = await openSession(name);
      a = session.encrypt(vector(x));
      b = session.encrypt(vector(y));
    });
    afterAll(() => session.close());

    const expectSlots = (c: C, expected: (slot: number) => number, bits: number) => {
      const values = session.decrypt(c);
      if (values !== undefined) expect(precisionBits(values, expected)).toBeGreaterThan(bits);
    };
    const plain = (f: (slot: number) => number, level = maxLevel, scale = factorScale) => session.engine.encode(vector(f), level, scale);
    const failure = (action: () => unknown): HeError => {
      try {
        action();
      } catch (error) {
        if (error instanceof HeError) return error;
        throw error;
      }
      throw new Error('nothing was thrown');
    };

    test('fresh ciphertexts are at the top level with the canonical scale and two polynomials', () => {
      expect(session.engine.info(a)).toEqual({ level: maxLevel, scale: top, size: 2 });
      expectSlots(a, x, LINEAR_BITS);
    });

    test('adds, subtracts and negates', () => {
      expectSlots(session.engine.add(a, b), (s) => x(s) + y(s), LINEAR_BITS);
      expectSlots(session.engine.sub(a, b), (s) => x(s) - y(s), LINEAR_BITS);
      expectSlots(session.engine.negate(a), (s) => -x(s), LINEAR_BITS);
    });

    test('adds and multiplies by plaintexts', () => {
      expectSlots(session.engine.addPlain(a, plain(y, maxLevel, top)), (s) => x(s) + y(s), LINEAR_BITS);
      const product = session.engine.multiplyPlain(a, plain(y));
      expect(session.engine.info(product)).toEqual({ level: maxLevel, scale: top * factorScale, size: 2 });
      const rescaled = session.engine.rescale(product, below);
      expect(session.engine.info(rescaled)).toEqual({ level: maxLevel - 1, scale: below, size: 2 });
      expectSlots(rescaled, (s) => x(s) * y(s), PRODUCT_BITS);
    });

    test('encodes directly at lower levels', () => {
      const level = maxLevel - 2;
      const scale = (parameters.levelScale(level) * parameters.primeAt(level + 1)) / top;
      const low = session.engine.modSwitchTo(a, level + 1);
      const product = session.engine.multiplyPlain(low, plain(y, level + 1, scale));
      expectSlots(session.engine.rescale(product, parameters.levelScale(level)), (s) => x(s) * y(s), PRODUCT_BITS);
    });

    test('multiplies, squares, relinearises and rescales', () => {
      const product = session.engine.multiply(a, b);
      expect(session.engine.info(product)).toEqual({ level: maxLevel, scale: top * top, size: 3 });
      const relinearized = session.engine.relinearize(product);
      expect(session.engine.info(relinearized).size).toBe(2);
      expectSlots(session.engine.rescale(relinearized, below), (s) => x(s) * y(s), PRODUCT_BITS);
      expectSlots(session.engine.rescale(session.engine.relinearize(session.engine.square(a)), below), (s) => x(s) ** 2, PRODUCT_BITS);
    });

    test('accumulates products of ciphertexts before one relinearisation', () => {
      const sum = session.engine.multiply(a, b);
      session.engine.accumulateProduct(sum, a, a);
      session.engine.relinearizeInPlace(sum);
      session.engine.rescaleInPlace(sum, below);
      expectSlots(sum, (s) => x(s) * y(s) + x(s) ** 2, PRODUCT_BITS);
    });

    test('accumulates plaintext products in place', () => {
      const sum = session.engine.multiplyPlain(a, plain(y));
      session.engine.accumulateProductPlain(sum, b, plain(x));
      session.engine.addInPlace(sum, sum);
      session.engine.subInPlace(sum, session.engine.multiplyPlain(b, plain(y)));
      session.engine.rescaleInPlace(sum, below);
      session.engine.addPlainInPlace(
        sum,
        plain(() => 0.5, maxLevel - 1, below),
      );
      expectSlots(sum, (s) => 4 * x(s) * y(s) - y(s) ** 2 + 0.5, PRODUCT_BITS);
    });

    test('rescales three polynomials', () => {
      const low = session.engine.rescale(session.engine.square(a), below);
      expect(session.engine.info(low)).toEqual({ level: maxLevel - 1, scale: below, size: 3 });
      expectSlots(low, (s) => x(s) ** 2, PRODUCT_BITS - 3);
    });

    test('rotates left by the steps there are keys for, modulo the slots', () => {
      expectSlots(session.engine.rotate(a, 3), (s) => x(at(s + 3)), ROTATED_BITS);
      expectSlots(session.engine.rotate(a, -1), (s) => x(at(s - 1)), ROTATED_BITS);
      expectSlots(session.engine.rotate(session.engine.modSwitchTo(a, refreshLevel), 64), (s) => x(at(s + 64)), ROTATED_BITS);
    });

    test('rotates by several steps at once, in their order', () => {
      const steps = [64, 0, 3, 64 - slots];
      const rotated = session.engine.rotateMany(a, steps);
      expect(rotated.length).toBe(steps.length);
      rotated.forEach((c, i) => {
        expect(session.engine.info(c)).toEqual(session.engine.info(a));
        expectSlots(c, (s) => x(at(s + steps[i]!)), ROTATED_BITS);
        session.engine.dispose(c);
      });
      expect(failure(() => session.engine.rotateMany(a, [1, 2])).code).toBe('MISSING_GALOIS_KEY');
    });

    test('hands ciphertexts to other threads as bytes, at any level and scale, without changing them', () => {
      const { engine } = session;
      const product = engine.multiplyPlain(engine.rotate(a, 3), plain(y));
      const before = engine.ledger.of('ciphertext');
      const copy = engine.fromPortable(engine.toPortable(product));
      expect(engine.info(copy)).toEqual(engine.info(product));
      expectSlots(copy, (s) => x(at(s + 3)) * y(s), PRODUCT_BITS);
      engine.dispose(copy);
      expect(engine.ledger.of('ciphertext')).toEqual(before);
      const low = engine.rescale(engine.multiplyPlain(a, plain(y)), below);
      expect(Buffer.compare(engine.save(engine.fromPortable(engine.toPortable(low))), engine.save(low))).toBe(0);
    });

    test('conjugates, which leaves real slots as they are', () => {
      const conjugate = session.engine.conjugate(a);
      expect(session.engine.info(conjugate)).toEqual(session.engine.info(a));
      expectSlots(conjugate, x, ROTATED_BITS);
      expect(failure(() => session.engine.conjugate(session.engine.multiply(a, b))).code).toBe('SIZE_UNSUPPORTED');
    });

    test('rotation by zero is a copy', () => {
      expectSlots(session.engine.rotate(a, slots), x, LINEAR_BITS);
    });

    test('switches levels without changing values or scale', () => {
      const low = session.engine.modSwitchTo(a, refreshLevel);
      expect(session.engine.info(low)).toEqual({ level: refreshLevel, scale: top, size: 2 });
      expectSlots(low, x, LINEAR_BITS);
    });

    test('operands are left as they were', () => {
      session.engine.rescale(session.engine.multiplyPlain(session.engine.add(a, b), plain(x)), below);
      expect(session.engine.info(a)).toEqual({ level: maxLevel, scale: top, size: 2 });
      expectSlots(a, x, LINEAR_BITS);
    });

    test('refuses operands at different levels', () => {
      const low = session.engine.modSwitchTo(b, maxLevel - 1);
      const error = failure(() => session.engine.add(a, low));
      expect(error).toMatchObject({ code: 'LEVEL_MISMATCH', op: 'add', level: maxLevel, scale: top });
      expect(failure(() => session.engine.multiply(low, a)).code).toBe('LEVEL_MISMATCH');
      expect(failure(() => session.engine.multiplyPlain(low, plain(x))).code).toBe('LEVEL_MISMATCH');
      expect(failure(() => session.engine.modSwitchTo(low, maxLevel)).code).toBe('LEVEL_MISMATCH');
    });

    test('refuses sums at different scales', () => {
      expect(failure(() => session.engine.addPlain(a, plain(x, maxLevel, top * 2)))).toMatchObject({
        code: 'SCALE_MISMATCH',
        op: 'addPlain',
      });
      expect(failure(() => session.engine.add(a, session.engine.multiplyPlain(a, plain(y)))).code).toBe('SCALE_MISMATCH');
    });

    test('refuses a rescale that misses the asked scale', () => {
      expect(failure(() => session.engine.rescale(a, top)).code).toBe('SCALE_MISMATCH');
    });

    test('refuses scales beyond the modulus', () => {
      const low = session.engine.modSwitchTo(a, 0);
      const error = failure(() => session.engine.multiply(low, low));
      expect(error).toMatchObject({ code: 'SCALE_OUT_OF_BOUNDS', op: 'multiply', level: 0 });
    });

    test('says where the chain ends', () => {
      const low = session.engine.modSwitchTo(a, 0);
      expect(failure(() => session.engine.rescale(low, top))).toMatchObject({ code: 'CHAIN_EXHAUSTED', op: 'rescale', level: 0 });
    });

    test('refuses three polynomials where two are needed', () => {
      const product = session.engine.multiply(a, b);
      expect(failure(() => session.engine.rotate(product, 1)).code).toBe('SIZE_UNSUPPORTED');
      expect(failure(() => session.engine.multiply(product, a)).code).toBe('SIZE_UNSUPPORTED');
      expect(failure(() => session.engine.relinearize(a)).code).toBe('SIZE_UNSUPPORTED');
    });

    test('names a missing Galois key by step and element', () => {
      const error = failure(() => session.engine.rotate(a, 2));
      expect(error).toMatchObject({ code: 'MISSING_GALOIS_KEY', op: 'rotate', level: maxLevel });
      expect(error.message).toContain('rotation by 2 (element 9)');
    });

    test('refuses plaintexts that are not finite, too long or too large', () => {
      for (const values of [vector(() => Number.NaN), new Float64Array(slots + 1), vector(() => 1e60)]) {
        expect(failure(() => session.engine.encode(values, maxLevel, top)).code).toBe('ENCODE_INVALID');
      }
      expect(failure(() => session.engine.encode(vector(x), maxLevel + 1, top)).code).toBe('LEVEL_OUT_OF_RANGE');
    });

    test('refuses released handles', () => {
      const c = session.engine.clone(a);
      session.engine.dispose(c);
      expect(failure(() => session.engine.add(a, c)).code).toBe('HANDLE_RELEASED');
      expect(failure(() => session.engine.dispose(c)).code).toBe('HANDLE_RELEASED');
    });

    test('a failing operation leaves nothing behind', () => {
      const before = session.engine.ledger.total();
      failure(() => session.engine.rotate(a, 2));
      failure(() => session.engine.rotateMany(a, [1, 2]));
      failure(() => session.engine.rescale(a, top));
      expect(session.engine.ledger.total()).toEqual(before);
    });

    test('masks only at the refresh level and unmasks only at the top', () => {
      const seed: MaskSeed = { serverKey: new Uint8Array(32).fill(1), session: 's', segment: 0, index: 0 };
      expect(failure(() => session.engine.mask(a, seed)).code).toBe('LEVEL_MISMATCH');
      const low = session.engine.modSwitchTo(a, refreshLevel);
      expect(failure(() => session.engine.unmask(low, seed)).code).toBe('LEVEL_MISMATCH');
      expect(session.engine.info(session.engine.mask(low, seed))).toEqual(session.engine.info(low));
    });
  });
}

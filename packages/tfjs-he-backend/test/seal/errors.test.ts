import { describe, expect, test } from '@jest/globals';
import { HeError } from '../../src/errors.js';
import { createSealContext } from '../../src/seal/context.js';
import { callSeal } from '../../src/seal/errors.js';
import { loadSealModule } from '../../src/seal/load.js';
import { supportsSeal } from '../../src/seal/support.js';
import { openSession, parameters } from '../conformance/session.js';

const failure = (action: () => unknown): HeError => {
  try {
    callSeal({ op: 'test', level: 2, scale: 2 ** 30 }, action);
  } catch (error) {
    if (error instanceof HeError) return error;
  }
  throw new Error('no HeError was thrown');
};

describe('what SEAL throws', () => {
  test('becomes a typed error with op, level and scale', async () => {
    const seal = await loadSealModule();
    const error = failure(() =>
      new seal.Evaluator(createSealContext(seal, 1024, [12289n], { expandChain: false, securityBits: 0 })).add(
        new seal.Ciphertext(),
        new seal.Ciphertext(),
        new seal.Ciphertext(),
      ),
    );
    expect(error).toMatchObject({ op: 'test', level: 2, scale: 2 ** 30 });
    expect(error.message).toContain('op test, level 2, scale 2^30.000');
    expect(error.message).toMatch(/std::/);
  });

  test('names the use of a deleted handle', async () => {
    const seal = await loadSealModule();
    const plaintext = new seal.Plaintext();
    plaintext.delete();
    expect(failure(() => plaintext.scale()).code).toBe('HANDLE_RELEASED');
  });

  test('a transparent result is refused by seal and mock alike', async () => {
    for (const name of ['mock', 'seal'] as const) {
      const { engine, encrypt, close } = await openSession(name);
      const c = encrypt(new Float64Array(parameters.slots).fill(1));
      const zero = engine.encode(new Float64Array(parameters.slots), parameters.maxLevel, 2 ** 30);
      const code = expect.objectContaining({ code: 'TRANSPARENT_CIPHERTEXT', level: parameters.maxLevel });
      expect(() => engine.multiplyPlain(c, zero)).toThrow(code);
      expect(() => engine.sub(c, c)).toThrow(code);
      close();
    }
  });

  test('nor does simd make one, or save one that a sum of products comes to', async () => {
    const { engine, encrypt, close } = await openSession('simd');
    const c = encrypt(new Float64Array(parameters.slots).fill(1));
    const [zero, plus, minus] = [0, 1, -1].map((value) =>
      engine.encode(new Float64Array(parameters.slots).fill(value), parameters.maxLevel, 2 ** 10),
    );
    const code = expect.objectContaining({ code: 'TRANSPARENT_CIPHERTEXT', level: parameters.maxLevel });
    expect(() => engine.multiplyPlain(c, zero!)).toThrow(code);
    expect(() => engine.sub(c, c)).toThrow(code);
    const sum = engine.multiplyPlain(c, plus!);
    engine.accumulateProductPlain(sum, c, minus!);
    sum.scale = parameters.levelScale(parameters.maxLevel);
    expect(() => engine.save(sum)).toThrow(code);
    close();
  });

  test('a product without keys says which keys', async () => {
    const { engine, encrypt, runtime, close } = await openSession('seal');
    const square = engine.square(encrypt(new Float64Array(parameters.slots).fill(1)));
    const keyless = runtime!.openKeyless();
    expect(() => keyless.relinearize(square)).toThrow(expect.objectContaining({ code: 'MISSING_RELINEARIZATION_KEY' }));
    close();
  });
});

test('this runtime passes the probe', () => {
  expect(supportsSeal()).toBe(true);
});

test('a runtime without exception handling is told what to use', async () => {
  const validate = WebAssembly.validate;
  WebAssembly.validate = () => false;
  try {
    await expect(loadSealModule()).rejects.toMatchObject({ code: 'RUNTIME_UNSUPPORTED', message: expect.stringContaining('Node 22') });
  } finally {
    WebAssembly.validate = validate;
  }
});

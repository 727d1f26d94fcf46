import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEngineRuntime } from '../../src/engines/runtime.js';
import { HeError } from '../../src/errors.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { evaluationKeysBytes } from '../../src/wire/evaluation_keys.js';
import { FRAME_HEADER } from '../../src/wire/frames.js';
import { galoisSteps, openSession, parameters, precisionBits, type Session } from '../conformance/session.js';

const { slots, refreshLevel } = parameters;

/** A HeError with a wire code, or a value; anything else (a native exception, a RangeError) fails the test. */
function attempt<T>(read: () => T): T | HeError {
  try {
    return read();
  } catch (error) {
    if (error instanceof HeError && error.code.startsWith('WIRE_')) return error;
    throw error;
  }
}

describe.each(['mock', 'seal', 'simd'] as const)('hostile bytes to the %s engine', (name) => {
  let session: Session;
  let fresh: Uint8Array;
  let low: Uint8Array;
  beforeAll(async () => {
    session = await openSession(name);
    fresh = session.client!.encrypt([new Float64Array(slots).fill(0.5)])[0]!;
    low = session.engine.save(session.engine.modSwitchTo(session.engine.load(fresh), refreshLevel));
  });
  afterAll(() => session.close());

  test('any change of a header byte is refused', () => {
    for (let i = 0; i < FRAME_HEADER; i++) {
      for (const flip of [1, 0x80, 0xff]) {
        const bytes = fresh.slice();
        bytes[i]! ^= flip;
        const result = attempt(() => session.engine.load(bytes));
        expect(result).toBeInstanceOf(HeError);
      }
    }
  });

  test('truncated and extended frames are refused', () => {
    for (const length of [0, 1, FRAME_HEADER - 1, FRAME_HEADER, fresh.length >> 1, fresh.length - 1]) {
      expect(attempt(() => session.engine.load(fresh.subarray(0, length)))).toMatchObject({ code: 'WIRE_TRUNCATED' });
    }
    const longer = new Uint8Array(fresh.length + 1);
    longer.set(fresh);
    expect(attempt(() => session.engine.load(longer))).toMatchObject({ code: 'WIRE_MALFORMED' });
  });

  test('random damage gives a typed error or a ciphertext, never a crash', () => {
    const damage = fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(damage, fc.boolean(), (changes, server) => {
        const bytes = (server ? fresh : low).slice();
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        const result = attempt(() => (server ? session.engine.load(bytes) : session.client!.refresh([bytes])));
        if (server && !(result instanceof HeError)) session.engine.dispose(result as never);
      }),
      { numRuns: 150, seed: 5 },
    );
  });

  test('the engine still works afterwards', () => {
    expect(precisionBits(session.decrypt(session.engine.load(fresh))!, () => 0.5)).toBeGreaterThan(14);
  });

  test('random bytes of the right size are refused as ciphertext and as keys', async () => {
    const random = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 13);
    expect(attempt(() => session.engine.load(random(fresh.length)))).toBeInstanceOf(HeError);
    const keys = random(evaluationKeysBytes(name === 'mock' ? 'mock' : 'seal', parameters, galoisSteps));
    expect(attempt(() => session.runtime!.open(keys))).toBeInstanceOf(HeError);
  });

  test('damaged keys are refused or opened, and leave nothing behind', async () => {
    const keys = await session.client!.evaluationKeys();
    const before = session.runtime!.ledger.total();
    const frame = (keys.length - 8) / (galoisSteps.length + 1);
    for (const at of [0, 4, 8, 8 + 16, 8 + 6, 8 + frame + 4, 8 + frame + 16]) {
      const bytes = keys.slice();
      bytes[at]! ^= 0x55;
      expect(attempt(() => session.runtime!.open(bytes))).toBeInstanceOf(HeError);
    }
    expect(attempt(() => session.runtime!.open(keys.subarray(0, keys.length - 1)))).toMatchObject({ code: 'WIRE_TRUNCATED' });
    expect(session.runtime!.ledger.total()).toEqual(before);
  });
});

describe('frames of the seal engine', () => {
  let seal: Session;
  let fresh: Uint8Array;
  beforeAll(async () => {
    seal = await openSession('seal');
  });
  beforeEach(() => {
    fresh = seal.client!.encrypt([new Float64Array(slots)])[0]!;
  });
  afterAll(() => seal.close());

  test('with a residue not below its prime are refused before SEAL sees them', () => {
    fresh.fill(0xff, FRAME_HEADER, FRAME_HEADER + 50);
    expect(attempt(() => seal.engine.load(fresh))).toMatchObject({ code: 'WIRE_RESIDUE_RANGE' });
  });

  test('with a seed for another generator are refused', () => {
    fresh[fresh.length - 65] = 2;
    expect(attempt(() => seal.engine.load(fresh))).toMatchObject({ code: 'WIRE_UNSUPPORTED' });
  });

  test('are refused by mock, and those of another program by both', async () => {
    const mock = await openSession('mock');
    const code = expect.objectContaining({ code: 'WIRE_PARAMETERS_MISMATCH' });
    expect(() => mock.engine.load(seal.engine.save(seal.engine.load(fresh)))).toThrow(code);
    const other = createParameters({ ...parameters, coeffModulus: [...parameters.coeffModulus].reverse() });
    const runtime = await createEngineRuntime('mock', other, galoisSteps);
    expect(() => runtime.openKeyless().load(mock.client!.encrypt([new Float64Array(slots)])[0]!)).toThrow(code);
  });
});

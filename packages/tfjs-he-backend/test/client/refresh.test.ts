import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createEngineRuntime } from '../../src/engines/runtime.js';
import type { MaskSeed } from '../../src/ring/mask.js';
import { galoisSteps, openSession, parameters, precisionBits, type Session } from '../conformance/session.js';

const { slots, maxLevel, refreshLevel } = parameters;
const seed: MaskSeed = { serverKey: new Uint8Array(32).fill(9), session: 'session', segment: 3, index: 1 };
const x = (slot: number) => 7 * Math.sin(slot);

describe.each(['mock', 'seal'] as const)('refresh with the %s engine', (name) => {
  let session: Session;
  let masked: Uint8Array;

  beforeAll(async () => {
    session = await openSession(name);
    const { engine } = session;
    const low = engine.modSwitchTo(session.encrypt(Float64Array.from({ length: slots }, (_, slot) => x(slot))), refreshLevel);
    masked = engine.save(engine.mask(low, seed));
  });
  afterAll(() => session.close());

  test('raises a masked ciphertext to the top and keeps its values', () => {
    const { engine } = session;
    const raised = engine.load(session.client!.refresh([masked])[0]!);
    expect(engine.info(raised)).toEqual({ level: maxLevel, scale: parameters.levelScale(maxLevel), size: 2 });
    expect(precisionBits(session.decrypt(engine.unmask(raised, seed))!, x)).toBeGreaterThan(15);
  });

  test('the values survive many refreshes', () => {
    const { engine } = session;
    let c = engine.modSwitchTo(session.encrypt(Float64Array.from({ length: slots }, (_, slot) => x(slot))), refreshLevel);
    for (let index = 0; index < 5; index++) {
      const s = { ...seed, index };
      const raised = engine.load(session.client!.refresh([engine.save(engine.mask(c, s))])[0]!);
      c = engine.modSwitchTo(engine.unmask(raised, s), refreshLevel);
    }
    expect(precisionBits(session.decrypt(c)!, x)).toBeGreaterThan(14);
  });

  test('the client refuses ciphertexts at another level', () => {
    const { engine, client } = session;
    const fresh = session.encrypt(new Float64Array(slots).fill(1));
    for (const level of [maxLevel, refreshLevel + 1, refreshLevel - 1]) {
      const frame = engine.save(level < refreshLevel ? engine.rescale(oneAt(refreshLevel), parameters.levelScale(level)) : dropTo(level));
      expect(() => client!.refresh([frame])).toThrow(expect.objectContaining({ code: 'WIRE_LEVEL' }));
      expect(() => client!.decrypt([frame])).toThrow(expect.objectContaining({ code: 'WIRE_LEVEL' }));
    }

    function oneAt(level: number) {
      const scale = (parameters.levelScale(level - 1) * parameters.primeAt(level)) / parameters.levelScale(level);
      return engine.multiplyPlain(dropTo(level), engine.encode(new Float64Array(slots).fill(1), level, scale));
    }
    function dropTo(level: number) {
      if (level === maxLevel) return fresh;
      const one = new Float64Array(slots).fill(1);
      const scale = (parameters.levelScale(level) * parameters.primeAt(level + 1)) / parameters.levelScale(maxLevel);
      const high = engine.modSwitchTo(fresh, level + 1);
      return engine.rescale(engine.multiplyPlain(high, engine.encode(one, level + 1, scale)), parameters.levelScale(level));
    }
  });

  test('nothing is kept between masking and unmasking: another engine with the same key takes the mask off', async () => {
    const [raised] = session.client!.refresh([masked]);
    const runtime = await createEngineRuntime(name, parameters, galoisSteps);
    const other = runtime.openKeyless();
    const unmasked = other.save(other.unmask(other.load(raised!), seed));
    expect(precisionBits(session.decrypt(session.engine.load(unmasked))!, x)).toBeGreaterThan(15);
    runtime.dispose();
  });

  test('unmasking with another seed does not give the values back', () => {
    const { engine, client } = session;
    const raised = engine.load(client!.refresh([masked])[0]!);
    const other = { ...seed, segment: seed.segment + 1 };
    if (name === 'mock') expect(() => engine.unmask(raised, other)).toThrow(expect.objectContaining({ code: 'MASK_MISMATCH' }));
    else expect(precisionBits(session.decrypt(engine.unmask(raised, other))!, x)).toBeLessThan(-30);
  });

  test('what the client sees is noise', () => {
    const { client } = session;
    if (name === 'mock') {
      expect(() => client!.decrypt([masked])).toThrow(expect.objectContaining({ code: 'MASK_MISMATCH' }));
      return;
    }
    const [seen] = client!.decrypt([masked]);
    const typical = Math.sqrt(seen!.reduce((sum, value) => sum + value * value, 0) / slots);
    // The mask is 2^40 times the largest message coefficient.
    expect(typical).toBeGreaterThan(2 ** 40);
  });
});

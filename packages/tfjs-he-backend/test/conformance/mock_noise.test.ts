import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type C, galoisSteps, openSession, parameters, type Session } from './session.js';

const { slots, maxLevel, refreshLevel } = parameters;
const top = parameters.levelScale(maxLevel);
const x = (slot: number) => Math.sin(slot);

/** Root mean square error over the slots, in bits. */
function errorBits(session: Session, c: C, expected: (slot: number) => number): number {
  const values = session.decrypt(c)!;
  return Math.log2(Math.sqrt(values.reduce((sum, value, slot) => sum + (value - expected(slot)) ** 2, 0) / slots));
}

const circuits: [string, (session: Session, a: C) => C, (slot: number) => number][] = [
  ['a fresh ciphertext', ({ engine }, a) => engine.modSwitchTo(a, refreshLevel), x],
  ['a rotation at the top', ({ engine }, a) => engine.modSwitchTo(engine.rotate(a, 1), refreshLevel), (s) => x((s + 1) % slots)],
  ['a rotation at the bottom', ({ engine }, a) => engine.rotate(engine.modSwitchTo(a, refreshLevel), 1), (s) => x((s + 1) % slots)],
  [
    'a relinearised square, rescaled',
    ({ engine }, a) => engine.rescale(engine.relinearize(engine.square(a)), parameters.levelScale(maxLevel - 1)),
    (s) => x(s) ** 2,
  ],
  [
    'a plaintext product, rescaled',
    ({ engine }, a) => {
      const level = refreshLevel + 1;
      const p = engine.encode(
        Float64Array.from({ length: slots }, (_, s) => x(s)),
        level,
        parameters.primeAt(level),
      );
      return engine.rescale(engine.multiplyPlain(engine.modSwitchTo(a, level), p), top);
    },
    (s) => x(s) ** 2,
  ],
];

const sessions: Session[] = [];
beforeAll(async () => {
  sessions.push(await openSession('mock'), await openSession('seal'));
});
afterAll(() => {
  for (const session of sessions) session.close();
});

// SEAL draws its keys from the system, and a key-switching key's own error shifts what it adds by up to 1.4 bits (seen in repeated runs).
test.each(circuits)('mock noise is that of SEAL within two bits: %s', (_, circuit, expected) => {
  const [mock, seal] = sessions.map((session) => {
    const a = session.encrypt(Float64Array.from({ length: slots }, (_, s) => x(s)));
    return errorBits(session, circuit(session, a), expected);
  });
  expect(Math.abs(mock! - seal!)).toBeLessThan(2);
});

// Key errors are as random as keys: the noise of one slot is a draw, so its typical size is compared over the rotations of four keys.
test('mock noise is unequal over the slots as that of SEAL: slot 0 gets far more than the average of a key switch', () => {
  const [mock, seal] = sessions.map((session) => {
    const a = session.engine.modSwitchTo(session.encrypt(new Float64Array(slots)), refreshLevel);
    const squares = galoisSteps.map((step) => session.decrypt(session.engine.rotate(a, step))!.map((error) => error ** 2));
    const first = squares.reduce((sum, error) => sum + error[0]!, 0);
    const average = squares.reduce((sum, error) => sum + error.reduce((total, e) => total + e, 0) / slots, 0);
    return Math.log2(first / average) / 2;
  });
  expect(mock).toBeGreaterThan(2);
  expect(Math.abs(mock! - seal!)).toBeLessThan(4);
});

test('values at a refresh beyond the bound of the mask are found by mock', () => {
  const { engine, encrypt } = sessions[0]!;
  const low = engine.modSwitchTo(encrypt(new Float64Array(slots).fill(2 ** parameters.valueBits * 1.1)), refreshLevel);
  const seed = { serverKey: new Uint8Array(32), session: '', segment: 0, index: 0 };
  expect(() => engine.mask(low, seed)).toThrow(expect.objectContaining({ code: 'VALUE_OVERFLOW', op: 'mask' }));
});

test('values beyond half the modulus are found by mock', () => {
  const { engine, encrypt } = sessions[0]!;
  const big = engine.modSwitchTo(encrypt(new Float64Array(slots).fill(2 ** 14)), 0);
  expect(() => {
    for (let i = 0, c = big; i < 4; i++) c = engine.add(c, c);
  }).toThrow(expect.objectContaining({ code: 'VALUE_OVERFLOW' }));
});

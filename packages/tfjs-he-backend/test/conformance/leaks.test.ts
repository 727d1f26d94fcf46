import { expect, test } from '@jest/globals';
import { openSession, parameters } from './session.js';

const { slots, maxLevel, refreshLevel } = parameters;

test.each(['mock', 'seal', 'simd'] as const)('the ledger of the %s engine returns to where it started', async (name) => {
  const session = await openSession(name);
  const { engine, client, runtime } = session;
  const below = parameters.levelScale(maxLevel - 1);
  const factor = (below * parameters.primeAt(maxLevel)) / parameters.levelScale(maxLevel);
  const seed = { serverKey: new Uint8Array(32), session: '', segment: 0, index: 0 };

  const infer = () => {
    const a = session.encrypt(new Float64Array(slots).fill(0.5));
    const p = engine.encode(new Float64Array(slots).fill(2), maxLevel, factor);
    const made = [engine.rotate(a, 1), engine.square(a), engine.multiplyPlain(a, p), engine.modSwitchTo(a, refreshLevel)];
    engine.accumulateProductPlain(made[2]!, a, p);
    engine.accumulateProduct(made[1]!, a, a);
    made.push(engine.relinearize(made[1]!), engine.rescale(made[2]!, below), engine.mask(made[3]!, seed));
    made.push(engine.load(client!.refresh([engine.save(made[6]!)])[0]!));
    made.push(engine.unmask(made[7]!, seed));
    for (const c of [a, ...made]) engine.dispose(c);
    engine.disposePlain(p);
  };
  infer(); // makes the lazy encoders
  const before = engine.ledger.total();
  const clientBefore = client!.ledger.total();
  for (let i = 0; i < 3; i++) infer();
  expect(engine.ledger.total()).toEqual(before);
  expect(client!.ledger.total()).toEqual(clientBefore);

  session.close();
  expect(runtime!.ledger.total()).toEqual({ count: 0, bytes: 0 });
  expect(client!.ledger.total()).toEqual({ count: 0, bytes: 0 });
});

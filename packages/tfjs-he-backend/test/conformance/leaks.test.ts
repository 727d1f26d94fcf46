import { expect, test } from '@jest/globals';
import { loadSealModule } from '../../src/seal/load.js';
import { takeHandleCensus } from '../support/handle_census.js';
import { openSession, parameters } from './session.js';

const { slots, maxLevel, refreshLevel } = parameters;

test.each(['mock', 'seal', 'simd'] as const)(
  'the ledger of the %s engine returns to where it started, and so do the objects of SEAL',
  async (name) => {
    const census = takeHandleCensus(await loadSealModule());
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
      made.push(engine.unmask(made[7]!, seed), engine.fromPortable(engine.toPortable(a)), engine.conjugate(a));
      client!.decrypt([engine.save(made[3]!)]);
      client!.publicKey();
      for (const c of [a, ...made]) engine.dispose(c);
      engine.disposePlain(p);
    };
    infer(); // makes the lazy encoders
    const before = engine.ledger.total();
    const clientBefore = client!.ledger.total();
    const aliveBefore = census.alive();
    for (let i = 0; i < 3; i++) infer();
    expect(engine.ledger.total()).toEqual(before);
    expect(client!.ledger.total()).toEqual(clientBefore);
    expect(census.alive()).toEqual(aliveBefore);

    session.close();
    expect(runtime!.ledger.total()).toEqual({ count: 0, bytes: 0 });
    expect(client!.ledger.total()).toEqual({ count: 0, bytes: 0 });
    expect(census.alive()).toEqual([]);
    expect(census.count > 0).toBe(name !== 'mock');
    census.stop();
  },
);

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { MaskSeed } from '../../src/ring/mask.js';
import { parameters } from '../conformance/session.js';
import { type Both, type EnginePair, openEnginePair } from '../support/engine_pair.js';

let pair: EnginePair;
beforeAll(async () => {
  pair = await openEnginePair(parameters, []);
});
afterAll(() => pair.close());

const seed: MaskSeed = { serverKey: new Uint8Array(32).fill(7), session: 's', segment: 3, index: 1 };

/** A fresh ciphertext on both engines. */
function fresh(): Both {
  const [frame] = pair.client.encrypt([Float64Array.from({ length: parameters.slots }, (_, slot) => Math.sin(slot))]);
  return { seal: pair.seal.load(frame!), simd: pair.simd.load(frame!) };
}

function expectEqualResidues(both: Both): void {
  const { seal, simd } = pair.residues(both);
  expect(simd).toEqual(seal);
}

test('masks that go on, at the refresh level, are those of engine seal, residue by residue', () => {
  const top = fresh();
  const { refreshLevel } = parameters;
  const low = { seal: pair.seal.modSwitchTo(top.seal, refreshLevel), simd: pair.simd.modSwitchTo(top.simd, refreshLevel) };
  const masked = { seal: pair.seal.mask(low.seal, seed), simd: pair.simd.mask(low.simd, seed) };
  expectEqualResidues(masked);
  pair.free(top, low, masked);
});

test('masks that come off, at the top level, too', () => {
  const top = fresh();
  const unmasked = { seal: pair.seal.unmask(top.seal, seed), simd: pair.simd.unmask(top.simd, seed) };
  expectEqualResidues(unmasked);
  pair.free(top, unmasked);
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Ciphertext } from 'node-seal';
import { type AnyEngine, createEngineRuntime, type EngineRuntime } from '../../src/engines/runtime.js';
import { type MaskSeed, sampleMask } from '../../src/ring/mask.js';
import { galoisSteps, manifestFor, parameters } from '../conformance/session.js';
import { openTransparentClient } from '../support/integers.js';

const { slots, maxLevel, refreshLevel, polyModulusDegree } = parameters;
const seed: MaskSeed = { serverKey: new Uint8Array(32).fill(5), session: 's', segment: 0, index: 4 };
/** SEAL's fresh errors are centred binomial with 21 bits a side: bounded by 21, variance 10.5. */
const LARGEST_ERROR = 21n;

let owner: Awaited<ReturnType<typeof openTransparentClient>>;
let runtime: EngineRuntime;
let message: bigint[];
let masked: bigint[];
let raised: bigint[];
let unmasked: bigint[];

beforeAll(async () => {
  owner = await openTransparentClient(manifestFor(parameters), parameters);
  runtime = await createEngineRuntime('seal', parameters, galoisSteps);
  const engine: AnyEngine = runtime.open(await owner.client.evaluationKeys());
  const integers = (c: ReturnType<AnyEngine['load']>) => owner.integers(c.read('test') as Ciphertext, engine.info(c).level);
  const values = Float64Array.from({ length: slots }, (_, slot) => 7.9 * Math.cos(slot));
  const low = engine.modSwitchTo(engine.load(owner.client.encrypt([values])[0]!), refreshLevel);
  const due = engine.mask(low, seed);
  const fresh = engine.load(owner.client.refresh([engine.save(due)])[0]!);
  const done = engine.unmask(fresh, seed);
  [message, masked, raised, unmasked] = [low, due, fresh, done].map(integers) as [bigint[], bigint[], bigint[], bigint[]];
  for (const c of [low, due, fresh, done]) engine.dispose(c);
  engine.close();
});
afterAll(() => {
  runtime.dispose();
  owner.dispose();
});

const difference = (a: readonly bigint[], b: readonly bigint[]) => a.map((x, n) => x - b[n]!);

test('masking adds exactly the sampled integers to the message', () => {
  const limbs = sampleMask(parameters, seed);
  const mask = Array.from({ length: polyModulusDegree }, (_, n) =>
    limbs.reduce((sum, limb, i) => sum + (BigInt(limb[n]!) << BigInt(48 * i)), 0n),
  );
  expect(difference(masked, message)).toEqual(mask);
});

test('lifting to the top adds nothing but the error of one fresh encryption', () => {
  const errors = difference(raised, masked);
  expect(errors.every((e) => e >= -LARGEST_ERROR && e <= LARGEST_ERROR)).toBe(true);
  const variance = errors.reduce((sum, e) => sum + Number(e * e), 0) / polyModulusDegree;
  expect(Math.abs(variance / 10.5 - 1)).toBeLessThan(0.15);
});

test('a whole refresh leaves the message plus that error, coefficient by coefficient', () => {
  expect(difference(unmasked, message)).toEqual(difference(raised, masked));
});

test('no coefficient of the message exceeds the bound that the mask was chosen for', () => {
  const bound = BigInt(Math.ceil(parameters.levelScale(maxLevel) * (2 ** parameters.valueBits + 1)));
  expect(message.every((m) => m <= bound && m >= -bound)).toBe(true);
});

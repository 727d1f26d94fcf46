import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CKKSEncoder, MainModule, SEALContext } from 'node-seal';
import { createSimdEngine } from '../../src/engines/simd.js';
import { createSimdRuntime, type SimdRuntime } from '../../src/engines/simd_runtime.js';
import { createSealContext } from '../../src/seal/context.js';
import { loadSealModule } from '../../src/seal/load.js';
import type { SimdPlaintext } from '../../src/simd/encoder.js';
import { writeSealPlaintext } from '../../src/wire/seal_format.js';
import { smallParameters } from '../support/engine_pair.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const parameters = smallParameters(4096, [50, 40, 30, 45, 50]);
const { slots, polyModulusDegree: degree, maxLevel } = parameters;

describe('encoding without SEAL', () => {
  let seal: MainModule;
  let context: SEALContext;
  let encoder: CKKSEncoder;
  let runtime: SimdRuntime;

  beforeAll(async () => {
    seal = await loadSealModule();
    context = createSealContext(seal, degree, parameters.coeffModulus, { expandChain: true, securityBits: 0 });
    encoder = new seal.CKKSEncoder(context);
    runtime = await createSimdRuntime(parameters);
  });
  afterAll(() => {
    encoder.delete();
    context.delete();
  });

  const expand = ({ limbs, logRun }: SimdPlaintext) =>
    limbs.slice(0, -1).map((at, i) => {
      const p = parameters.primeAt(i);
      const run = 2 ** logRun;
      const values = runtime.heap.doubles(at, degree / run);
      return Float64Array.from({ length: degree }, (_, n) => {
        const x = values[Math.floor(n / run)]!;
        return x < 0 ? x + p : x;
      });
    });
  /** What SEAL reads in a plaintext of ours. */
  const decoded = (values: Float64Array, level: number, scale: number) => {
    const plaintext = runtime.encoder.encode(values, level, scale);
    const theirs = new seal.Plaintext();
    theirs.loadFromArray(context, writeSealPlaintext(runtime.frames.shape(level), scale, expand(plaintext)));
    runtime.encoder.release(plaintext);
    const read = encoder.decodeFloat64(theirs) as Float64Array;
    theirs.delete();
    return read;
  };
  const periodic = (period: number, seed: number) => {
    const values = randomValues(period, seed);
    return Float64Array.from({ length: slots }, (_, s) => values[s % period]!);
  };

  test('SEAL decodes what was encoded, at any level, period and scale', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: maxLevel }),
        fc.integer({ min: 0, max: Math.log2(slots) }),
        fc.double({ min: 30, max: 48, noNaN: true }),
        fc.integer({ min: 0, max: 1000 }),
        (level, logPeriod, scaleBits, seed) => {
          const values = periodic(2 ** logPeriod, seed);
          // Rounding every coefficient to an integer costs sqrt(N / 12) of the scale in a slot, and more in the worst of thousands.
          expect(bitsOfAgreement(decoded(values, level, 2 ** scaleBits), values)).toBeGreaterThan(scaleBits - 9);
        },
      ),
      { numRuns: 30, seed: 31 },
    );
  });

  test('scales far beyond 2^53 keep the precision of doubles', () => {
    const values = periodic(slots, 5);
    for (const bits of [55, 70, 100, 150]) expect(bitsOfAgreement(decoded(values, maxLevel, 2 ** bits), values)).toBeGreaterThan(44);
  });

  test('a constant costs eight values a prime, a vector of period 64 costs 128', () => {
    const engine = createSimdEngine(runtime, undefined);
    const before = engine.ledger.of('plaintext').bytes;
    const constant = engine.encode(new Float64Array(slots).fill(0.25), maxLevel, 2 ** 40);
    expect(engine.ledger.of('plaintext').bytes - before).toBe(8 * 8 * (maxLevel + 2));
    const short = engine.encode(periodic(64, 1), maxLevel, 2 ** 40);
    expect(engine.ledger.of('plaintext').bytes - before).toBe(8 * (8 + 128) * (maxLevel + 2));
    for (const p of [constant, short]) engine.disposePlain(p);
    expect(engine.ledger.of('plaintext').bytes).toBe(before);
  });
});

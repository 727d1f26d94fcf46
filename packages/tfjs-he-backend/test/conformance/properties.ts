import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createOpCounts, type OpCounts } from '../../src/engines/op_counts.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { randomValues } from '../support/random.js';
import { decryptedError, layouts, RandomCircuit, steps } from './random_circuit.js';
import { openSession, type Session, type SessionEngine } from './session.js';

/** fast-check prints errors with their causes, and a cause from WebAssembly has no end. */
function withoutCause(action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new Error((error as Error).message);
  }
}

/** Small and insecure on purpose; scales of 36 to 40 bits, one to four levels above the refresh level. */
const PARAMETERS = [
  [50, 40, 40, 50],
  [48, 36, 38, 37, 35, 36, 50],
].map((bits) =>
  createParameters({ polyModulusDegree: 4096, coeffModulus: choosePrimes(4096, bits), securityBits: 0, refreshLevel: 1, valueBits: 3 }),
);

const RUNS: Readonly<Record<SessionEngine, number>> = { empty: 25, mock: 25, seal: 6, simd: 12 };

/** What every engine must do with any circuit: agree with float64 within a bound on CKKS's noise, and do the operations it was asked for. */
export function conformanceProperties(name: SessionEngine): void {
  describe.each(PARAMETERS.map((p) => [p.dataPrimes.map((prime) => prime.toString(2).length).join('+'), p] as const))(
    `${name} engine with primes of %s bits`,
    (_, p) => {
      let session: Session;
      let counts: OpCounts;
      beforeAll(async () => {
        session = await openSession(name, (op, level) => counts.observe(op, level), p);
      });
      afterAll(() => session.close());
      const byName = (c: OpCounts) => c.entries().sort((x, y) => x.op.localeCompare(y.op) || x.level - y.level);

      test('random circuits on tensors of random shapes and layouts agree with float64, in bits, and count their operations', () => {
        const inputs = fc.array(fc.record({ layout: layouts(p.slots), seed: fc.integer({ min: 1, max: 1 << 30 }) }), {
          minLength: 1,
          maxLength: 2,
        });
        fc.assert(
          fc.property(inputs, steps, (tensors, program) => {
            counts = createOpCounts();
            const circuit = new RandomCircuit(session);
            for (const { layout, seed } of tensors) circuit.input(layout, seed);
            withoutCause(() => {
              for (const step of program) circuit.step(step);
            });
            expect(byName(counts)).toEqual(byName(circuit.expected));
            for (const value of circuit.values.slice(-2)) {
              const actual = session.decrypt(value.c);
              if (actual === undefined) continue;
              const worst = actual.reduce((max, x, i) => Math.max(max, Math.abs(x - value.slots[i]!)), 0);
              const least = -Math.log2(decryptedError(value, p));
              expect(-Math.log2(worst)).toBeGreaterThanOrEqual(least);
              expect(least).toBeGreaterThan(6);
            }
            circuit.dispose();
          }),
          { numRuns: RUNS[name], seed: 31, endOnFailure: true },
        );
      });

      test('tensors of any shape and layout come back as they were packed', () => {
        fc.assert(
          fc.property(layouts(p.slots), fc.integer({ min: 1, max: 1 << 30 }), (layout, seed) => {
            counts = createOpCounts();
            const values = randomValues(layout.slotOf.length, seed);
            const c = session.encrypt(pack(values, layout, p.slots)[0]!);
            const slots = session.decrypt(c);
            session.engine.dispose(c);
            if (slots === undefined) return;
            const worst = unpack([slots], layout, p.slots).reduce((max, x, i) => Math.max(max, Math.abs(x - values[i]!)), 0);
            expect(-Math.log2(worst)).toBeGreaterThan(12);
          }),
          { numRuns: Math.ceil(RUNS[name] / 4), seed: 32, endOnFailure: true },
        );
      });
    },
  );
}

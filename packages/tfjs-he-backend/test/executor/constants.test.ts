import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEmptyEngine } from '../../src/engines/empty.js';
import { createMockEngine, type MockPlaintext } from '../../src/engines/mock.js';
import { ConstantCache } from '../../src/executor/constants.js';
import type { Instruction, Program } from '../../src/program/program.js';
import { smallParameters } from '../support/engine_pair.js';

const parameters = smallParameters(1024, [50, 30, 50]);
const BYTES = 8 * 1024;

/** A program that uses constants in this order, each the vector of its number. */
function programOf(uses: readonly number[]): Program {
  const instructions: Instruction[] = uses.map((constant) => ({ op: 'multiplyPlain', out: 1, a: 0, constant, layer: 0, level: 0 }));
  const constants = Array.from({ length: Math.max(...uses) + 1 }, (_, id) => ({
    values: Float64Array.of(id),
    shift: 0,
    level: 0,
    scale: 2 ** 20,
  }));
  // What a cache reads of a program.
  return { constants, segments: [{ instructions, refreshes: [] }] } as unknown as Program;
}

/** Encodings of so many runs with room for `room` constants. */
function encodings(uses: readonly number[], room: number, runs: number): number {
  const engine = createEmptyEngine(parameters);
  const cache = new ConstantCache(programOf(uses), engine, { bytes: room * BYTES, outsideBytes: 0 });
  for (let run = 0; run < runs; run++) {
    for (const id of uses) {
      cache.get(id);
      expect(cache.use.bytes).toBe(engine.ledger.of('plaintext').bytes);
      expect(cache.use.bytes).toBeLessThanOrEqual(room * BYTES);
    }
  }
  const { encoded } = cache.use;
  cache.dispose();
  expect(engine.ledger.total()).toEqual({ count: 0, bytes: 0 });
  return encoded;
}

/** The least number of encodings, by trying everything that could give way. */
function leastEncodings(sequence: readonly number[], room: number): number {
  let states = new Map<string, { readonly kept: readonly number[]; readonly count: number }>([['', { kept: [], count: 0 }]]);
  for (const id of sequence) {
    const next: typeof states = new Map();
    const reach = (kept: readonly number[], count: number) => {
      const key = kept.join();
      const known = next.get(key);
      if (known === undefined || count < known.count) next.set(key, { kept, count });
    };
    for (const { kept, count } of states.values()) {
      if (kept.includes(id)) reach(kept, count);
      else if (kept.length < room) reach([...kept, id].sort(), count + 1);
      else for (const victim of kept) reach([...kept.filter((other) => other !== victim), id].sort(), count + 1);
    }
    states = next;
  }
  return Math.min(...[...states.values()].map(({ count }) => count));
}

describe('constants beyond the limit', () => {
  test('that run after run uses in order: those that fit stay', () => {
    const uses = Array.from({ length: 10 }, (_, i) => i);
    // The first run makes 10; every other one the 2 that have no room, where giving up the least recently used would make all 10 again.
    expect(encodings(uses, 8, 4)).toBe(10 + 3 * 2);
    expect(encodings(uses, 10, 4)).toBe(10);
  });

  test('are encoded as rarely as can be', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (uses, room) => {
          const runs = 2;
          // Beyond the last run there is another one, which the cache keeps constants for.
          const least = leastEncodings(Array.from({ length: runs }, () => uses).flat(), room);
          expect(encodings(uses, room, runs)).toBeGreaterThanOrEqual(least);
          expect(encodings(uses, room, runs) - least).toBeLessThanOrEqual(room);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('hold their values, wherever they come from', () => {
    const uses = [0, 1, 2, 3, 1, 0, 4];
    const engine = createMockEngine(parameters, [], { noise: false });
    const cache = new ConstantCache<MockPlaintext>(programOf(uses), engine, { bytes: 2 * 8 * parameters.slots, outsideBytes: 0 });
    for (const id of [...uses, ...uses]) expect(cache.get(id).read('test')[7]).toBe(id);
    expect(cache.use.evicted).toBeGreaterThan(0);
  });

  test('are prepared until nothing more fits', () => {
    const engine = createEmptyEngine(parameters);
    const cache = new ConstantCache(programOf([0, 1, 2, 3]), engine, { bytes: 2 * BYTES, outsideBytes: 0 });
    expect([0, 1, 2, 3].map((id) => cache.prepare(id))).toEqual([true, true, false, false]);
    expect(cache.progress).toEqual({ done: 2, total: 4 });
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Engine } from '../../src/engines/engine.js';
import { type EnginePair, openEnginePair, smallParameters } from '../support/engine_pair.js';
import { randomValues } from '../support/random.js';

const STEPS = [1, 2, 3, 4];
/** Degree, primes, and the noise that SEAL must stay below for the comparison to mean something, in bits. */
const sets: [number, number[], number][] = [
  [4096, [50, 40, 40, 40, 50], -20],
  [8192, [49, 35, 35, 49], -14],
  [1024, [45, 38, 38, 38, 38, 38, 46], -20],
];

/** Root mean square error, in bits. */
function errorBits(actual: Float64Array, expected: (slot: number) => number): number {
  const sum = actual.reduce((total, value, s) => total + (value - expected(s)) ** 2, 0);
  return Math.log2(Math.sqrt(sum / actual.length));
}

// Sums, products and rotations whose division by the special prime is put off; SEAL divides at every rotation.
describe.each(sets)('work that is put off, N = %d, primes of %p bits', (degree, bits, noise) => {
  const parameters = smallParameters(degree, bits);
  const { slots, maxLevel, levelScale, primeAt } = parameters;
  let pair: EnginePair;
  beforeAll(async () => {
    pair = await openEnginePair(parameters, STEPS);
  });
  afterAll(() => pair.close());

  const x = randomValues(slots, 41);
  const y = randomValues(slots, 42);
  const at = (s: number) => (s + slots) % slots;

  /** Runs a circuit on both engines and compares what the client decrypts. */
  const compare = (circuit: <C, P>(engine: Engine<C, P>, a: C, b: C) => C, expected: (slot: number) => number) => {
    const frames = pair.client.encrypt([x, y]);
    const error = <C, P>(engine: Engine<C, P>): number => {
      const [a, b] = frames.map((frame) => engine.load(frame));
      let c = circuit(engine, a!, b!);
      for (let { level, scale } = engine.info(c); level > 0; { level, scale } = engine.info(c)) {
        const target = levelScale(level - 1);
        const one = engine.encode(new Float64Array(slots).fill(1), level, (target * primeAt(level)) / scale);
        c = engine.rescale(engine.multiplyPlain(c, one), target);
      }
      return errorBits(pair.client.decrypt([engine.save(c)])[0]!, expected);
    };
    const [seal, simd] = [error(pair.seal), error(pair.simd)];
    expect(seal).toBeLessThan(noise);
    expect(simd).toBeLessThan(seal + 1);
  };

  test('hoisted rotations are as precise as single ones', () => {
    for (const i of [0, 3])
      compare(
        (engine, a) => engine.rotateMany(a, STEPS)[i]!,
        (s) => x[at(s + i + 1)]!,
      );
  });

  test('a sum of rotated ciphertexts', () => {
    compare(
      (engine, a, b) => {
        const sum = engine.add(engine.rotate(a, 1), b);
        engine.addInPlace(sum, engine.rotate(b, 2));
        engine.addInPlace(sum, sum);
        return sum;
      },
      (s) => 2 * (x[at(s + 1)]! + y[s]! + y[at(s + 2)]!),
    );
  });

  test('a rotation of a sum of plaintext products of rotations', () => {
    const scale = (levelScale(maxLevel - 1) * primeAt(maxLevel)) / levelScale(maxLevel);
    const weights = STEPS.map((_, i) => randomValues(slots, 50 + i));
    compare(
      (engine, a, b) => {
        const plaintexts = weights.map((w) => engine.encode(w, maxLevel, scale));
        const rotated = engine.rotateMany(a, STEPS);
        const sum = engine.multiplyPlain(b, plaintexts[0]!);
        rotated.forEach((c, i) => {
          if (i > 0) engine.accumulateProductPlain(sum, c, plaintexts[i]!);
        });
        return engine.rescale(engine.rotate(sum, 3), levelScale(maxLevel - 1));
      },
      (s) => {
        const t = at(s + 3);
        return weights.reduce((total, w, i) => total + w[t]! * (i === 0 ? y[t]! : x[at(t + i + 1)]!), 0);
      },
    );
  });

  test('linear maps of hoisted rotations and of products with them, at any level', () => {
    const rotations = fc.uniqueArray(fc.constantFrom(...STEPS), { minLength: 2 });
    const check = (level: number, steps: readonly number[], last: number, seed: number) => {
      const scale = (levelScale(level - 1) * primeAt(level)) / levelScale(maxLevel);
      const weights = steps.map((_, i) => randomValues(slots, seed + i));
      compare(
        (engine, a, b) => {
          const [low, other] = [engine.modSwitchTo(a, level), engine.modSwitchTo(b, level)];
          const sum = engine.multiplyPlain(other, engine.encode(weights[0]!, level, scale));
          for (const [i, c] of engine.rotateMany(low, steps).entries()) {
            engine.accumulateProductPlain(sum, c, engine.encode(weights[i]!, level, scale));
          }
          return engine.rescale(engine.rotate(sum, last), levelScale(level - 1));
        },
        (s) => {
          const t = at(s + last);
          return weights.reduce((total, w, i) => total + w[t]! * x[at(t + steps[i]!)]!, weights[0]![t]! * y[t]!);
        },
      );
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: maxLevel }), rotations, fc.constantFrom(...STEPS), fc.integer({ max: 1000, min: 100 }), check),
      { numRuns: 4, seed: 43 },
    );
  });

  test('a copy taken before more is added keeps its value', () => {
    compare(
      (engine, a, b) => {
        const sum = engine.multiply(a, b);
        const before = engine.clone(sum);
        engine.accumulateProduct(sum, a, a);
        engine.relinearizeInPlace(before);
        engine.rescaleInPlace(before, levelScale(maxLevel - 1));
        return before;
      },
      (s) => x[s]! * y[s]!,
    );
  });

  test('a factor may be disposed of before its product is computed', () => {
    compare(
      (engine, a, b) => {
        const copies = [engine.rotate(a, 1), engine.clone(b)];
        const sum = engine.multiply(copies[0]!, copies[1]!);
        for (const c of copies) engine.dispose(c);
        for (let i = 0; i < 4; i++) engine.dispose(engine.negate(engine.rotate(b, 2)));
        engine.relinearizeInPlace(sum);
        engine.rescaleInPlace(sum, levelScale(maxLevel - 1));
        return sum;
      },
      (s) => x[at(s + 1)]! * y[s]!,
    );
  });

  test('long sums are computed in parts', () => {
    compare(
      (engine, a, b) => {
        const scale = (levelScale(maxLevel - 1) * primeAt(maxLevel)) / levelScale(maxLevel);
        const p = engine.encode(new Float64Array(slots).fill(1 / 256), maxLevel, scale);
        const sum = engine.multiplyPlain(a, p);
        for (let i = 1; i < 200; i++) engine.accumulateProductPlain(sum, i % 2 === 0 ? a : b, p);
        return engine.rescale(sum, levelScale(maxLevel - 1));
      },
      (s) => (100 * (x[s]! + y[s]!)) / 256,
    );
  });

  describe('rotations of one value', () => {
    const residues = ({ simd, simdRuntime }: EnginePair, c: ReturnType<EnginePair['simd']['clone']>): Buffer => {
      simdRuntime.values.settle(c.read('test').value);
      return Buffer.from(simd.toPortable(c).bytes);
    };

    test('have the same residues divided at once as later, whichever is needed first', () => {
      const { simd } = pair;
      const a = pair.random(maxLevel, 81).simd;
      const rotate = () => simd.rotateMany(a, [...STEPS, 1]);
      const settled = rotate().map((c) => residues(pair, c));
      const backwards = rotate()
        .reverse()
        .map((c) => residues(pair, c))
        .reverse();
      const extended = rotate().map((c) => {
        pair.simdRuntime.values.gather(c.read('test').value);
        return residues(pair, c);
      });
      for (const other of [backwards, extended]) expect(other.every((limbs, i) => limbs.equals(settled[i]!))).toBe(true);
    });

    test('are those of the value as it was', () => {
      const { simd } = pair;
      const a = pair.random(maxLevel, 82).simd;
      const [expected, late] = [residues(pair, simd.rotateMany(a, STEPS)[1]!), simd.rotateMany(a, STEPS)];
      simd.addInPlace(a, a);
      simd.rotateMany(a, STEPS);
      simd.dispose(a);
      expect(residues(pair, late[1]!).equals(expected)).toBe(true);
    });

    test('take no memory once they are gone, used or not', () => {
      const { simd, simdRuntime } = pair;
      const a = pair.random(maxLevel, 83).simd;
      const use = () => {
        const [first, ...others] = simd.rotateMany(a, STEPS);
        const copy = simd.clone(others[0]!);
        residues(pair, first!);
        for (const c of [first!, ...others, copy]) simd.dispose(c);
      };
      use();
      const before = simdRuntime.heap.memory.buffer.byteLength;
      for (let i = 0; i < 50; i++) use();
      expect(simdRuntime.heap.memory.buffer.byteLength).toBe(before);
    });

    test('are given up, with what they hold, where nothing can be computed any more', async () => {
      const other = await openEnginePair(smallParameters(1024, [50, 40, 50]), [1, 2]);
      const { simd, simdRuntime } = other;
      const a = other.random(1, 85).simd;
      const late = simd.rotateMany(a, [1, 2]);
      simdRuntime.heap.condemn(new Error('gone'));
      expect(() => residues(other, late[0]!)).toThrow('gone');
      simd.close();
      for (const c of [a, ...late]) simd.dispose(c);
      expect(simdRuntime.ledger.of('ciphertext').count).toBe(0);
      expect(simdRuntime.ledger.of('key').count).toBe(0);
      other.close();
    });

    test('are computed before their keys go', async () => {
      const other = await openEnginePair(smallParameters(1024, [50, 40, 50]), [1, 2]);
      const a = other.random(1, 84).simd;
      const [expected, late] = [residues(other, other.simd.rotateMany(a, [1, 2])[1]!), other.simd.rotateMany(a, [1, 2])];
      other.simd.close();
      expect(residues(other, late[1]!).equals(expected)).toBe(true);
      other.close();
    });
  });
});

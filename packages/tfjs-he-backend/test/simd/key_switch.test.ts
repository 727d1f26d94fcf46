import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSimdEngine } from '../../src/engines/simd.js';
import { createSimdRuntime, type SimdRuntime } from '../../src/engines/simd_runtime.js';
import { dealt, mostPlaces, placesFor } from '../../src/simd/lanes.js';
import type { Polynomial } from '../../src/simd/limbs.js';
import { type EnginePair, openEnginePair, smallParameters } from '../support/engine_pair.js';

const STEPS = [1, 2, 3, 5, 7];
const parameters = smallParameters(1024, [50, 30, 48, 40, 50]);
const { maxLevel, primeAt } = parameters;

/** Bytes: deep equality of long arrays takes seconds. */
const bytesOf = ({ heap, pool }: SimdRuntime, polynomials: readonly Polynomial[]): Buffer[] =>
  polynomials.flatMap((polynomial) => polynomial.map(({ at }) => Buffer.from(heap.doubles(at, pool.degree).map((x) => x + 0).buffer)));

describe('threads share a key switch', () => {
  let pair: EnginePair;
  beforeAll(async () => {
    pair = await openEnginePair(parameters, STEPS);
  });
  afterAll(() => pair.close());

  // Five primes at most: dealt evenly, with primes that are split, and fewer primes than threads.
  test.each([2, 3, 4, 7])('%d threads: the residues of one', async (threads) => {
    const runtime = await createSimdRuntime(parameters, { threads });
    const other = createSimdEngine(runtime, pair.keys);
    for (let level = 0; level <= maxLevel; level++) {
      const [a, b] = [pair.random(level, 61 + level), pair.random(level, 71 + level)];
      const run = (engine: EnginePair['simd'], { values, ...rest }: SimdRuntime): Buffer[] => {
        const [x, y] = [a, b].map(({ simd }) => engine.fromPortable(pair.simd.toPortable(simd)));
        const made = [engine.rotate(x!, 2), ...engine.rotateMany(x!, STEPS)];
        if (level > 0) {
          const product = engine.relinearize(engine.multiply(x!, y!));
          made.push(engine.rotate(product, 2), engine.rescale(product, engine.info(product).scale / primeAt(level)), product);
        }
        return made.flatMap((c) => bytesOf({ values, ...rest }, values.settle(c.read('test').value)));
      };
      const [one, many] = [run(pair.simd, pair.simdRuntime), run(other, runtime)];
      expect(many.length).toBe(one.length);
      expect(many.every((limb, i) => limb.equals(one[i]!))).toBe(true);
    }
    other.close();
    runtime.dispose();
  });

  test('items are dealt once each, to tasks with a place of their own', () => {
    const { kernels } = pair.simdRuntime;
    const used = new Set<number>();
    for (let threads = 1; threads <= 5; threads++) {
      for (let count = 0; count <= 12; count++) {
        const seen: number[] = [];
        const places = dealt(
          Array.from({ length: count }, (_, i) => i),
          threads,
          (_, item, place) => {
            seen.push(item);
            used.add(place);
          },
        ).map((task) => {
          used.clear();
          task(kernels);
          return [...used];
        });
        expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(places.flat()).toEqual(Array.from({ length: placesFor(count, threads) }, (_, i) => i));
        expect(placesFor(count, threads)).toBeLessThanOrEqual(mostPlaces(threads));
      }
    }
  });
});

describe('division by the special prime and the last one together', () => {
  test('gives the residues of one after the other', async () => {
    const pair = await openEnginePair(parameters, STEPS);
    const { simd, simdRuntime: runtime } = pair;
    const { modulusDown } = runtime;
    for (let level = 1; level <= maxLevel; level++) {
      const a = pair.random(level, 80 + level).simd;
      // A rotated ciphertext is not divided yet; with an ordinary one added it has both parts.
      for (const c of [simd.rotate(a, 1), simd.add(simd.rotate(a, 1), a)]) {
        const { extended, polynomials } = c.read('test').value;
        const together = bytesOf(runtime, modulusDown.bySpecialAndLast(extended!, polynomials ?? []));
        const apart = bytesOf(runtime, modulusDown.byLast(modulusDown.bySpecial(extended!, polynomials ?? [])));
        expect(together.every((limb, i) => limb.equals(apart[i]!))).toBe(true);
      }
    }
    pair.close();
  });
});

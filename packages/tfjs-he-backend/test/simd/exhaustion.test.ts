import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createSimdEngine } from '../../src/engines/simd.js';
import { HeError } from '../../src/errors.js';
import { type EnginePair, openEnginePair, smallParameters } from '../support/engine_pair.js';
import { randomValues } from '../support/random.js';

const STEPS = [1, 2, 3];
const parameters = smallParameters(1024, [50, 40, 50]);
const { slots, maxLevel, levelScale, primeAt } = parameters;
const values = randomValues(slots, 1);

type Engine = EnginePair['simd'];
type C = ReturnType<Engine['clone']>;
type P = ReturnType<Engine['encode']>;

/** Operands of a case; `keep` disposes of what it is given when the case ends. */
interface Case {
  readonly engine: Engine;
  readonly a: C;
  readonly b: C;
  /** Gives its products the scale of the level below, once rescaled. */
  readonly factor: P;
  /** Of a fresh ciphertext. */
  readonly frame: Uint8Array;
  readonly keep: (c: C) => C;
}

const operations: Record<string, (c: Case) => C> = {
  load: ({ engine, frame }) => engine.load(frame),
  'a sum of rotations': ({ engine, a, b, keep }) => engine.add(keep(engine.rotate(a, 1)), keep(engine.add(b, keep(engine.rotate(b, 2))))),
  'a difference': ({ engine, a, b, keep }) => engine.sub(keep(engine.rotate(a, 1)), b),
  'a negative': ({ engine, a }) => engine.negate(a),
  'a sum with a plaintext': ({ engine, a }) => {
    const plaintext = engine.encode(values, maxLevel, levelScale(maxLevel));
    try {
      return engine.addPlain(a, plaintext);
    } finally {
      engine.disposePlain(plaintext);
    }
  },
  'a sum of plaintext products': ({ engine, a, b, factor, keep }) => {
    const sum = keep(engine.multiplyPlain(a, factor));
    const copy = keep(engine.clone(sum));
    engine.accumulateProductPlain(sum, b, factor);
    for (const c of engine.rotateMany(a, STEPS).map(keep)) engine.accumulateProductPlain(copy, c, factor);
    return engine.add(keep(engine.rescale(sum, levelScale(maxLevel - 1))), keep(engine.rescale(copy, levelScale(maxLevel - 1))));
  },
  'products added to a rotation that is put off': ({ engine, a, b, factor, keep }) => {
    const [first, second] = engine.rotateMany(keep(engine.multiplyPlain(a, factor)), STEPS).map(keep) as [C, C];
    const copy = keep(engine.clone(first));
    engine.accumulateProductPlain(copy, b, factor);
    return engine.add(copy, second);
  },
  'a product of ciphertexts': ({ engine, a, b, keep }) => {
    const product = keep(engine.multiply(a, b));
    engine.accumulateProduct(product, keep(engine.rotate(a, 2)), b);
    return engine.rotate(keep(engine.relinearize(product)), 1);
  },
  'a rescaled product of three polynomials': ({ engine, a, keep }) => {
    const square = keep(engine.square(a));
    return engine.rescale(square, square.scale / primeAt(maxLevel));
  },
  'a rotation at a lower level': ({ engine, a, keep }) => engine.negate(keep(engine.modSwitchTo(keep(engine.rotate(a, 1)), 0))),
  'bytes for another thread': ({ engine, a, keep }) => engine.fromPortable(engine.toPortable(keep(engine.rotate(a, 1)))),
};

describe('where there is no more memory', () => {
  let pair: EnginePair;
  let frame: Uint8Array;
  let liveBytes = 0;
  let allocationsLeft = Number.POSITIVE_INFINITY;
  beforeAll(async () => {
    pair = await openEnginePair(parameters, STEPS);
    [frame = new Uint8Array(0)] = pair.client.encrypt([values]);
    const { heap } = pair.simdRuntime;
    const { allocate, free } = heap;
    jest.spyOn(heap, 'allocate').mockImplementation((bytes) => {
      if (allocationsLeft-- <= 0) throw new HeError('MEMORY_BUDGET', 'the memory is full', { hint: 'Wait.' });
      liveBytes += bytes;
      return allocate.call(heap, bytes);
    });
    jest.spyOn(heap, 'free').mockImplementation((at, bytes) => {
      liveBytes -= bytes;
      free.call(heap, at, bytes);
    });
  });
  afterAll(() => {
    jest.restoreAllMocks();
    pair.close();
  });

  /** Runs an operation with so many allocations, then again with any number of them: bytes of the second result, if the first run failed. */
  function failAndRepeat(operation: (c: Case) => C, allocations: number): Buffer | undefined {
    const { simd: engine, simdRuntime } = pair;
    const kept = [pair.random(maxLevel, 3).simd, pair.random(maxLevel, 4).simd];
    const factor = engine.encode(values, maxLevel, (levelScale(maxLevel - 1) * primeAt(maxLevel)) / levelScale(maxLevel));
    const keep = (c: C): C => {
      kept.push(c);
      return c;
    };
    const run = (room: number): Buffer => {
      allocationsLeft = room;
      try {
        const result = keep(operation({ engine, a: kept[0]!, b: kept[1]!, factor, frame, keep }));
        simdRuntime.values.settle(result.read('test').value);
        return Buffer.from(engine.info(result).size === 2 ? engine.toPortable(result).bytes : []);
      } finally {
        allocationsLeft = Number.POSITIVE_INFINITY;
      }
    };
    try {
      run(allocations);
      return undefined;
    } catch (error) {
      if (!(error instanceof HeError) || error.code !== 'MEMORY_BUDGET') throw error;
      return run(Number.POSITIVE_INFINITY);
    } finally {
      simdRuntime.rotations.complete();
      for (const c of kept) engine.dispose(c);
      engine.disposePlain(factor);
    }
  }

  test('keys are not half loaded, at whichever allocation it fails', () => {
    const { simdRuntime, keys } = pair;
    const before = { liveBytes, ledger: simdRuntime.ledger.total() };
    const left: unknown[] = [];
    for (let allocations = 0, failed = true; failed; allocations++) {
      failed = false;
      allocationsLeft = allocations;
      try {
        createSimdEngine(simdRuntime, keys).close();
      } catch (error) {
        expect(error).toMatchObject({ code: 'MEMORY_BUDGET' });
        failed = true;
      }
      left.push({ liveBytes, ledger: simdRuntime.ledger.total() });
    }
    allocationsLeft = Number.POSITIVE_INFINITY;
    expect(left.length).toBeGreaterThan(2);
    expect(left).toEqual(left.map(() => before));
  });

  test.each(Object.entries(operations))('%s fails without a trace, at whichever allocation', (_, operation) => {
    const before = liveBytes;
    const failed: { allocations: number; left: number; repeated: Buffer }[] = [];
    for (let allocations = 0; ; allocations++) {
      const repeated = failAndRepeat(operation, allocations);
      if (repeated === undefined) break;
      failed.push({ allocations, left: liveBytes - before, repeated });
    }
    expect(failed.length).toBeGreaterThan(1);
    expect(failed.filter(({ left }) => left !== 0)).toEqual([]);
    expect(failed.every(({ repeated }) => repeated.equals(failed[0]!.repeated))).toBe(true);
  });
});

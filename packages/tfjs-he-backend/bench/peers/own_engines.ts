import type { Engine } from '../../dist/engines/engine.js';
import { denseMap } from '../dense_map.ts';
import { median } from '../median.ts';
import { openEngines } from '../open_engines.ts';
import { ownParameters } from './own_parameters.ts';
import * as workload from './workload.ts';

/** Baby steps of the dense map: node-seal is best off with few rotations in all, simd, whose baby steps are hoisted, with more. */
const BABIES = { seal: 16, simd: 32 } as const;
const STEPS: readonly number[] = Array.from({ length: 32 }, (_, i) => i + 1);

/** The cases on node-seal and on the simd engine with one thread. */
export async function measureOwnEngines(
  samples: number,
  cpu: boolean,
): Promise<Readonly<Record<'node-seal' | 'simd', readonly workload.Measured[]>>> {
  const clock = cpu ? () => process.cpuUsage().user / 1000 : () => performance.now();
  const { parameters, client, seal, openSimd, close } = await openEngines(ownParameters(), STEPS);
  try {
    const simd = await openSimd(1);
    const slots = (f: (slot: number) => number): Float64Array => Float64Array.from({ length: parameters.slots }, (_, slot) => f(slot));
    const frames = client.encrypt([slots(workload.input), slots(workload.other)]);
    const decrypt = (frame: Uint8Array): Float64Array => client.decrypt([frame])[0] ?? new Float64Array();
    return {
      'node-seal': measure(seal, frames, BABIES.seal, () => {}, decrypt, samples, clock),
      simd: measure(simd.engine, frames, BABIES.simd, simd.settle, decrypt, samples, clock),
    };
  } finally {
    close();
  }
}

function measure<C, P>(
  engine: Engine<C, P>,
  frames: readonly Uint8Array[],
  babies: number,
  settle: (c: C) => void,
  decrypt: (frame: Uint8Array) => Float64Array,
  samples: number,
  clock: () => number,
): readonly workload.Measured[] {
  const [x, y] = frames.map((frame) => engine.load(frame));
  if (x === undefined || y === undefined) throw new Error('two ciphertexts are needed');
  const dense = matrixProduct(engine, x, babies);
  const cases: readonly (readonly [workload.CaseName, () => C, (slot: number) => number])[] = [
    ['rotation', () => engine.rotate(x, 1), (slot) => workload.input(slot + 1)],
    ['product', () => product(engine, x, y), (slot) => workload.input(slot) * workload.other(slot)],
    ['dense', dense, (slot) => workload.matrixTimesInput(slot % workload.SIZE)],
    ['polynomial', polynomial(engine, x), (slot) => workload.polynomial(workload.input(slot))],
  ];
  return cases.map(([name, run, expected]) => {
    const timed = (): number => {
      const start = clock();
      const result = run();
      settle(result);
      const ms = clock() - start;
      engine.dispose(result);
      return ms;
    };
    const result = run();
    const decrypted = decrypt(savedAtRefreshLevel(engine, result));
    const error = decrypted.reduce((largest, value, slot) => Math.max(largest, Math.abs(value - expected(slot))), 0);
    return { case: name, ms: median(Array.from({ length: samples }, timed)), error };
  });
}

/** Clients decrypt at the refresh level: the ciphertext is taken there by a product with 1 that leaves it with that level's scale, and released. */
function savedAtRefreshLevel<C, P>(engine: Engine<C, P>, c: C): Uint8Array {
  const { refreshLevel, levelScale, primeAt, slots } = engine.parameters;
  const above = refreshLevel + 1;
  const { scale } = engine.info(c);
  engine.modSwitchToInPlace(c, above);
  const one = engine.encode(new Float64Array(slots).fill(1), above, (levelScale(refreshLevel) * primeAt(above)) / scale);
  const result = engine.multiplyPlain(c, one);
  engine.rescaleInPlace(result, levelScale(refreshLevel));
  const frame = engine.save(result);
  engine.dispose(c);
  engine.dispose(result);
  engine.disposePlain(one);
  return frame;
}

function product<C, P>(engine: Engine<C, P>, x: C, y: C): C {
  const result = engine.multiply(x, y);
  engine.relinearizeInPlace(result);
  engine.rescaleInPlace(result, engine.parameters.levelScale(engine.info(result).level - 1));
  return result;
}

/** The matrix times x, with diagonals that are encoded beforehand. */
function matrixProduct<C, P>(engine: Engine<C, P>, x: C, babies: number): () => C {
  const { maxLevel, levelScale, primeAt, slots } = engine.parameters;
  const { SIZE } = workload;
  const scale = (levelScale(maxLevel - 1) * primeAt(maxLevel)) / levelScale(maxLevel);
  const diagonals = Array.from({ length: SIZE }, (_, d) => {
    const moved = d - (d % babies);
    const entry = (slot: number): number => {
      const row = (slot + SIZE - moved) % SIZE;
      return workload.matrix(row, (row + d) % SIZE);
    };
    return engine.encode(
      Float64Array.from({ length: slots }, (_, slot) => entry(slot)),
      maxLevel,
      scale,
    );
  });
  return () => denseMap(engine, x, diagonals, babies);
}

/** ((c7 x + c6) x^2 + (c5 x + c4)) x^4 + ((c3 x + c2) x^2 + (c1 x + c0)): five products of ciphertexts, three levels. */
function polynomial<C, P>(engine: Engine<C, P>, x: C): () => C {
  const { maxLevel, levelScale, primeAt, slots } = engine.parameters;
  const constant = (value: number, level: number, scale: number): P => engine.encode(new Float64Array(slots).fill(value), level, scale);
  /** a x + b, computed at `level` from x taken down to it, one level below in the end, at `scale`. */
  const linear = (a: number, b: number, level: number, scale = levelScale(level - 1)) => {
    const factor = constant(a, level, (scale * primeAt(level)) / levelScale(maxLevel));
    const offset = constant(b, level - 1, scale);
    return (): C => {
      const lowered = engine.modSwitchTo(x, level);
      const result = engine.multiplyPlain(lowered, factor);
      engine.dispose(lowered);
      engine.rescaleInPlace(result, scale);
      engine.addPlainInPlace(result, offset);
      return result;
    };
  };
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, c6 = 0, c7 = 0] = workload.COEFFICIENTS;
  const top = maxLevel;
  const first = linear(c7, c6, top);
  const second = linear(c5, c4, top - 1);
  // Its scale makes the product with x^2, which has that of the level above, come out at the scale of its own level.
  const third = linear(c3, c2, top - 1, (levelScale(top - 3) * primeAt(top - 2)) / levelScale(top - 1));
  const fourth = linear(c1, c0, top - 2);
  return () => {
    const square = product(engine, x, x);
    const power = product(engine, square, square);
    const upper = first();
    const inner = product(engine, upper, square);
    const addend = second();
    engine.addInPlace(inner, addend);
    const sum = product(engine, inner, power);
    const low = third();
    engine.modSwitchToInPlace(square, top - 2);
    const lower = product(engine, low, square);
    const last = fourth();
    engine.addInPlace(sum, lower);
    engine.addInPlace(sum, last);
    for (const c of [square, power, upper, inner, addend, low, lower, last]) engine.dispose(c);
    return sum;
  };
}

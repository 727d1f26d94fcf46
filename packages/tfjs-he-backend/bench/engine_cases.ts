import { choosePrimes, createParameters, type Parameters } from 'tfjs-he-backend';
import type { Engine } from '../dist/engines/engine.js';
import { denseMap, sumOfProducts } from './dense_map.ts';
import type { OpenedEngines, OpenedSimd } from './open_engines.ts';

/** Least ratios to node-seal with one and with two threads. */
export type Targets = readonly [number, number];

/** The same computation on both engines. */
export interface Runs {
  seal(): void;
  simd(): void;
  /** With two threads. */
  simd2(): void;
  dispose(): void;
}

export interface EngineCase {
  readonly name: string;
  readonly targets: Targets;
  readonly prepare: (engines: Engines) => Runs;
}

/** Engines with the keys of one client; simd with one and with two threads. */
export interface Engines extends Pick<OpenedEngines, 'parameters' | 'client' | 'seal' | 'sealRuntime'> {
  readonly simd: OpenedSimd;
  readonly simd2: OpenedSimd;
}

function values(parameters: Parameters, seed: number, period = parameters.slots): Float64Array {
  return Float64Array.from({ length: parameters.slots }, (_, s) => Math.sin((seed + 1) * ((s % period) + 1)));
}

/** A case of engine operations: `run` with an engine whose lazy work must be finished by `settle`. */
interface Operation<C, P> {
  readonly engine: Engine<C, P>;
  readonly inputs: readonly C[];
  readonly settle: (c: C) => void;
}

type Prepared = { run(): void; dispose(): void };

function operation(
  name: string,
  targets: Targets,
  ciphertexts: number,
  prepare: <C, P>(operation: Operation<C, P>, side: 'seal' | 'simd') => Prepared,
): EngineCase {
  return {
    name,
    targets,
    prepare({ client, parameters, seal, simd, simd2 }) {
      const frames = client.encrypt(Array.from({ length: ciphertexts }, (_, i) => values(parameters, i)));
      const on = <C, P>(engine: Engine<C, P>, side: 'seal' | 'simd', settle: (c: C) => void) => {
        const inputs = frames.map((frame) => engine.load(frame));
        const prepared = prepare({ engine, inputs, settle }, side);
        return {
          run: prepared.run,
          dispose() {
            prepared.dispose();
            for (const c of inputs) engine.dispose(c);
          },
        };
      };
      const left = on(seal, 'seal', () => {});
      const right = on(simd.engine, 'simd', simd.settle);
      const right2 = on(simd2.engine, 'simd', simd2.settle);
      return {
        seal: left.run,
        simd: right.run,
        simd2: right2.run,
        dispose() {
          left.dispose();
          right.dispose();
          right2.dispose();
        },
      };
    },
  };
}

/** Releases what a run made, after finishing it. */
function finish<C, P>({ engine, settle }: Operation<C, P>, ...made: C[]): void {
  for (const c of made) {
    settle(c);
    engine.dispose(c);
  }
}

function first<T>(list: readonly T[]): T {
  const [value] = list;
  if (value === undefined) throw new Error('an empty list');
  return value;
}

function transform(prefix: string): EngineCase {
  return {
    name: `${prefix}forward and inverse transform of a ciphertext`,
    targets: [2.5, 4.5],
    prepare({ client, parameters, seal, sealRuntime, simd, simd2 }) {
      const frame = first(client.encrypt([values(parameters, 1)]));
      const [a, b, b2] = [seal.load(frame), simd.engine.load(frame), simd2.engine.load(frame)];
      const degree = parameters.polyModulusDegree;
      const logN = Math.log2(degree);
      const there = ({ runtime: { values: simdValues, tables, runner } }: OpenedSimd, c: typeof b) => {
        runner.run(
          simdValues.settle(c.read('bench').value).flatMap((polynomial) =>
            polynomial.map(({ at }, i) => (kernels) => {
              const table = tables[i];
              if (table === undefined) return;
              kernels.inverse(at, at, table.inverse, 8 * degree, logN, table.prime);
              kernels.forward(at, at, table.forward, 8 * degree, logN, table.prime);
            }),
          ),
        );
      };
      return {
        seal() {
          sealRuntime.evaluator.cipherTransformFromNttInplace(a.read('bench'));
          sealRuntime.evaluator.cipherTransformToNttInplace(a.read('bench'));
        },
        simd: () => there(simd, b),
        simd2: () => there(simd2, b2),
        dispose() {
          seal.dispose(a);
          simd.engine.dispose(b);
          simd2.engine.dispose(b2);
        },
      };
    },
  };
}

function productCase(): EngineCase {
  return operation('multiply, relinearise and rescale', [3, 5], 2, (op) => {
    const { engine, inputs } = op;
    const { maxLevel, levelScale } = engine.parameters;
    return {
      run() {
        const product = engine.multiply(first(inputs), first(inputs.slice(1)));
        engine.relinearizeInPlace(product);
        engine.rescaleInPlace(product, levelScale(maxLevel - 1));
        finish(op, product);
      },
      dispose() {},
    };
  });
}

function rotation(prefix: string): EngineCase {
  return operation(`${prefix}one rotation`, [3, 5], 1, (op) => ({
    run: () => finish(op, op.engine.rotate(first(op.inputs), 1)),
    dispose() {},
  }));
}

function rotations(prefix: string, targets: Targets): EngineCase {
  const steps = Array.from({ length: 32 }, (_, i) => i + 1);
  return operation(`${prefix}32 rotations of one ciphertext`, targets, 1, (op) => ({
    run: () => finish(op, ...op.engine.rotateMany(first(op.inputs), steps)),
    dispose() {},
  }));
}

function plaintextProducts(): EngineCase {
  const CIPHERTEXTS = 8;
  return operation('sum of 64 plaintext products', [6, 10], CIPHERTEXTS, (op) => {
    const { engine, inputs } = op;
    const { maxLevel } = engine.parameters;
    const plaintexts = Array.from({ length: 64 }, (_, i) => engine.encode(values(engine.parameters, i), maxLevel, 2 ** 30));
    return {
      run: () => finish(op, sumOfProducts(engine, inputs, plaintexts)),
      dispose() {
        for (const p of plaintexts) engine.disposePlain(p);
      },
    };
  });
}

/** node-seal is best off with few rotations in all; simd, whose baby steps are hoisted and share one division by the special prime, with more of them. */
function dense(prefix: string, size: number, babies: Readonly<Record<'seal' | 'simd', number>>, targets: Targets): EngineCase {
  return operation(`${prefix}dense ${size}x${size} map`, targets, 1, (op, side) => {
    const { engine, inputs } = op;
    const { parameters } = engine;
    const { maxLevel, levelScale, primeAt } = parameters;
    const scale = (levelScale(maxLevel - 1) * primeAt(maxLevel)) / levelScale(maxLevel);
    const diagonals = Array.from({ length: size }, (_, i) => engine.encode(values(parameters, i, size), maxLevel, scale));
    return {
      run: () => finish(op, denseMap(engine, first(inputs), diagonals, babies[side])),
      dispose() {
        for (const p of diagonals) engine.disposePlain(p);
      },
    };
  });
}

function parametersOf(degree: number, bits: readonly number[]): Parameters {
  return createParameters({ polyModulusDegree: degree, coeffModulus: choosePrimes(degree, bits), securityBits: 128, refreshLevel: 1 });
}

const STEPS = Array.from({ length: 32 }, (_, i) => i + 1);

export const ENGINE_CASES: readonly {
  readonly parameters: Parameters;
  readonly steps: readonly number[];
  readonly cases: readonly EngineCase[];
}[] = [
  {
    parameters: parametersOf(16384, [50, 48, 48, 48, 48, 48, 48, 48, 50]),
    steps: STEPS,
    cases: [
      transform(''),
      productCase(),
      rotation(''),
      rotations('', [8, 14]),
      plaintextProducts(),
      dense('', 128, { seal: 16, simd: 32 }, [7, 12]),
    ],
  },
  {
    parameters: parametersOf(8192, [45, 42, 42, 42, 45]),
    steps: STEPS,
    cases: [rotation('N=8192: '), rotations('N=8192: ', [7, 12]), dense('N=8192: ', 64, { seal: 8, simd: 16 }, [6, 10])],
  },
];

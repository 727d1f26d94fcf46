import { describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import { matMul, type Tensor } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { bicyclicGrid, bicyclicOperand, bicyclicResult, bicyclicRotations } from '../../src/compiler/bicyclic.js';
import { compileGraph, evaluateGraph, type Program, profile, traceFunction } from '../../src/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const OPTIONS = { polyModulusDegrees: [8192], precisionBits: 14, matmul: 'bicyclic' } as const;
const extents = fc.integer({ min: 2, max: 9 });
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

interface Shape {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const shapes = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  m: extents,
  k: extents,
  n: extents,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

function trace({ batch, m, k, n, transposeA, transposeB }: Shape) {
  const body = (operands: Tensor | Tensor[]) => matMul((operands as Tensor[])[0]!, (operands as Tensor[])[1]!, transposeA, transposeB);
  return traceFunction(body, [
    { name: 'x', shape: transposeA ? [batch, k, m] : [batch, m, k] },
    { name: 'y', shape: transposeB ? [batch, n, k] : [batch, k, n] },
  ]);
}

async function run(program: Program, values: ReadonlyMap<string, Float64Array>): Promise<Float32Array> {
  const pair = await openPair(program, 'mock');
  try {
    const { slots } = pair.client.parameters;
    const vectors = program.inputs.flatMap(({ layout }) => pack(values.get(layout.name)!, layout, slots));
    const result = await pair.session.run(pair.client.encrypt(vectors), { refresh: async (c) => pair.client.refresh(c) });
    return unpack(pair.client.decrypt(result.outputs), program.outputs[0]!.layout, slots);
  } finally {
    pair.dispose();
  }
}

describe('bicyclic packing', () => {
  test('extents are those asked for or a little larger, and no two have a common factor', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { rows, inner, cols } = bicyclicGrid(shape, 4096)!;
        expect([gcd(rows, inner), gcd(inner, cols), gcd(rows, cols)]).toEqual([1, 1, 1]);
        expect(rows).toBeGreaterThanOrEqual(shape.m);
        expect(inner).toBeGreaterThanOrEqual(shape.k);
        expect(cols).toBeGreaterThanOrEqual(shape.n);
        expect(inner).toBeLessThanOrEqual(shape.k + 1);
      }),
      { seed: 1 },
    );
  });

  test('elements and their copies take slots of their own, inside of the blocks', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { batch, m, k, n } = shape;
        const grid = bicyclicGrid(shape, 4096)!;
        for (const layout of [
          bicyclicOperand(grid, 'left', batch, m, k),
          bicyclicOperand(grid, 'right', batch, k, n),
          bicyclicResult(grid, batch, m, n),
        ]) {
          const slots = layout.copies.flatMap((copy) => [...layout.slotOf].map((slot) => slot + copy));
          expect(new Set(slots).size).toBe(slots.length);
          expect(Math.max(...slots)).toBeLessThan(grid.batch * grid.block);
          expect(layout.period).toBe(grid.batch * grid.block);
        }
      }),
      { seed: 2 },
    );
  });

  test('nothing that does not fit is packed', () => {
    expect(bicyclicGrid({ batch: 1, m: 128, k: 128, n: 128 }, 4096)).toBeNull();
  });

  test('products of all shapes, transposed and in batches, are those of tfjs', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const { batch, m, k, n } = shape;
        const graph = await trace(shape);
        const values = new Map([
          ['x', randomValues(batch * m * k, 1)],
          ['y', randomValues(batch * k * n, 2)],
        ]);
        const [expected] = evaluateGraph(graph, values);
        expect(bitsOfAgreement(await run(compileGraph(graph, OPTIONS), values), expected!)).toBeGreaterThan(12);
      }),
      { seed: 3, numRuns: 12 },
    );
  });

  test('a product takes the rotations of both chains, those of layouts aside, and one relinearisation', async () => {
    const shape = { batch: 1, m: 5, k: 7, n: 6, transposeA: false, transposeB: false };
    const graph = await trace(shape);
    const { products, keySwitches, rotations } = profile(compileGraph(graph, OPTIONS));
    expect(products).toBe(7);
    expect(keySwitches - rotations).toBe(1);
    expect(rotations).toBeGreaterThanOrEqual(bicyclicRotations(bicyclicGrid(shape, 4096)!));
  });

  test('whichever takes less time is taken', async () => {
    const seen: string[] = [];
    for (const [m, k, n] of [
      [16, 2, 16],
      [31, 3, 32],
    ] as const) {
      const graph = await trace({ batch: 1, m, k, n, transposeA: false, transposeB: false });
      const [auto, ...forced] = (['auto', 'jkls', 'bicyclic'] as const).map(
        (matmul) => profile(compileGraph(graph, { ...OPTIONS, matmul, layout: 'feature-major' }), 20, 'simd').predictedMs,
      );
      expect(auto!).toBe(Math.min(...forced));
      seen.push(forced[0]! < forced[1]! ? 'jkls' : 'bicyclic');
    }
    expect(seen).toEqual(['bicyclic', 'jkls']);
  });
});

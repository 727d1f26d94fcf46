import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMBEDDING_NORM_EPSILON } from '../src/embedding_norm.js';
import { embedPatches } from '../src/patches/patch_embedding.js';
import { cutPatches, type PatchGrid, patchLength, tokenCount } from '../src/patches/patch_grid.js';
import { normals, seededRandom } from '../src/random.js';

const GRID: PatchGrid = {
  height: 5,
  width: 6,
  patchHeight: 3,
  patchWidth: 4,
  strideY: 2,
  strideX: 2,
  paddingY: 1,
  paddingX: 0,
  offset: 2,
  scale: 4,
};

const grids = fc
  .record({
    patchHeight: fc.integer({ min: 1, max: 4 }),
    patchWidth: fc.integer({ min: 1, max: 4 }),
    moreRows: fc.integer({ min: 0, max: 4 }),
    moreColumns: fc.integer({ min: 0, max: 4 }),
    strideY: fc.integer({ min: 1, max: 3 }),
    strideX: fc.integer({ min: 1, max: 3 }),
    paddingY: fc.integer({ min: 0, max: 2 }),
    paddingX: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ moreRows, moreColumns, ...rest }) => ({
    ...rest,
    height: rest.patchHeight + moreRows,
    width: rest.patchWidth + moreColumns,
    offset: 1,
    scale: 2,
  }));

function cut(values: ArrayLike<number>, grid: PatchGrid, shift?: readonly [number, number]): Float32Array {
  const target = new Float32Array(tokenCount(grid) * patchLength(grid));
  cutPatches(values, grid, target, shift);
  return target;
}

describe('cutPatches', () => {
  test('takes the same values as cutting a padded copy of the grid', () => {
    fc.assert(
      fc.property(grids, (grid) => {
        const { height, width, paddingY, paddingX, patchHeight, patchWidth, strideY, strideX } = grid;
        const values = Array.from({ length: height * width }, (_, i) => i + 1);
        const padded = Array.from({ length: height + 2 * paddingY }, (_, y) =>
          Array.from({ length: width + 2 * paddingX }, (_, x) => {
            const inside = y >= paddingY && y < paddingY + height && x >= paddingX && x < paddingX + width;
            return inside ? (values[(y - paddingY) * width + x - paddingX]! - 1) / 2 : 0;
          }),
        );
        const expected: number[] = [];
        for (let y = 0; y + patchHeight <= padded.length; y += strideY)
          for (let x = 0; x + patchWidth <= padded[0]!.length; x += strideX)
            for (let row = 0; row < patchHeight; row++) expected.push(...padded[y + row]!.slice(x, x + patchWidth));
        expect([...cut(values, grid)]).toEqual(expected);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('moves the content by a shift, and loses what leaves the grid', () => {
    const grid = { ...GRID, paddingY: 0 };
    const values = Array.from({ length: 30 }, (_, i) => i + 3);
    const moved = values.map((_, i) => (i >= 6 && i % 6 < 5 ? values[i - 5]! : GRID.offset));
    expect(cut(values, grid, [1, -1])).toEqual(cut(moved, grid));
  });
});

describe('embedPatches', () => {
  test('is LayerNorm of the projected patch plus position', () => {
    const features = 5;
    const random = seededRandom(4);
    const [tokens, length] = [tokenCount(GRID), patchLength(GRID)];
    const weights = {
      projection: normals(length * features, 1, random),
      position: normals(tokens * features, 1, random),
      gamma: normals(features, 1, random),
      beta: normals(features, 1, random),
    };
    const values = normals(30, 3, random);
    const patches = cut(values, GRID);
    const expected = Array.from({ length: tokens }, (_, t) => {
      const row = Array.from({ length: features }, (_, k) => {
        let sum = weights.position[t * features + k]!;
        for (let i = 0; i < length; i++) sum += patches[t * length + i]! * weights.projection[i * features + k]!;
        return sum;
      });
      const mean = row.reduce((a, b) => a + b, 0) / features;
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / features;
      return row.map((value, k) => ((value - mean) / Math.sqrt(variance + EMBEDDING_NORM_EPSILON)) * weights.gamma[k]! + weights.beta[k]!);
    }).flat();
    const embedded = embedPatches(values, GRID, weights);
    expect(Math.max(...embedded.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-5);
  });
});

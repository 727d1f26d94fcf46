import type { MatMulNode } from '../graph/node.js';
import { boxes, fits, largestChunk, type Partition } from './partition.js';
import { matMulGrid, matMulSlots } from './slot_layout.js';

type Dims = MatMulNode['dims'];

/** A product of encrypted matrices in tiles. */
export interface MatMulTiles {
  readonly a: Partition;
  readonly b: Partition;
  readonly result: Partition;
  /** By part of the result: the products of a part of a with a part of b that add up to it. */
  readonly sums: readonly (readonly { readonly a: number; readonly b: number; readonly dims: Dims }[])[];
}

/**
 * The largest tiles whose products fit in `slots`: groups of heads if one head fits, square tiles of a head otherwise. With `doubled`, tiles that fit
 * twice, where heads alone can be divided to that end.
 */
export function matMulTiles(dims: Dims, { slots, doubled }: { readonly slots: number; readonly doubled: boolean }): MatMulTiles {
  const tile = tileOf(dims, slots, doubled);
  const { batch, m, k, n } = dims;
  const a = boxes([batch, m, k], [tile.batch, tile.m, tile.k]);
  const b = boxes([batch, k, n], [tile.batch, tile.k, tile.n]);
  const result = boxes([batch, m, n], [tile.batch, tile.m, tile.n]);
  const [rows, inner, cols] = [Math.ceil(m / tile.m), Math.ceil(k / tile.k), Math.ceil(n / tile.n)];
  const sums = result.map(({ shape: [heads = 1, height = 1, width = 1] }, at) => {
    const group = Math.floor(at / (rows * cols));
    const [row, col] = [Math.floor(at / cols) % rows, at % cols];
    return Array.from({ length: inner }, (_, l) => {
      const depth = Math.min(tile.k, k - l * tile.k);
      return {
        a: (group * rows + row) * inner + l,
        b: (group * inner + l) * cols + col,
        dims: { batch: heads, m: height, k: depth, n: width },
      };
    });
  });
  return { a, b, result, sums };
}

function tileOf(dims: Dims, slots: number, doubled: boolean): Dims {
  if (doubled && matMulSlots({ ...dims, batch: 1 }) <= slots) {
    const batch = largestChunk(dims.batch, (chunk) => matMulGrid({ ...dims, batch: chunk }, slots).doubled);
    if (matMulGrid({ ...dims, batch }, slots).doubled) return { ...dims, batch };
  }
  let tile = dims;
  // Heads first: they have nothing to do with each other. Then the largest extent, and what is summed last.
  const passes = (candidate: Dims): boolean => productFits(candidate, slots);
  tile = { ...tile, batch: largestChunk(tile.batch, (batch) => passes({ ...tile, batch })) };
  while (!passes(tile)) {
    const largest = Math.max(tile.m, tile.k, tile.n);
    const axis = (['n', 'm', 'k'] as const).find((name) => tile[name] === largest) ?? 'k';
    tile = { ...tile, [axis]: 2 ** (Math.ceil(Math.log2(largest)) - 1) };
  }
  return tile;
}

/** On a grid, or spread over all products (`expand_matmul.ts`). */
function productFits(dims: Dims, slots: number): boolean {
  const { batch, m, k, n } = dims;
  const operandsFit = fits([batch, m, k], slots) && fits([batch, k, n], slots) && fits([batch, m, n], slots);
  return operandsFit && (matMulSlots(dims) <= slots || fits([batch, m, n, k], slots));
}

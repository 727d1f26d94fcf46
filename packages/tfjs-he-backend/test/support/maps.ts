import fc from 'fast-check';
import { buildMap, type LinearMap } from '../../src/graph/linear_map.js';
import { randomSource } from './random.js';

/** A random sparse map of the given shape. */
export function randomMap(rows: number, cols: number, density: number, seed: number): LinearMap {
  const next = randomSource(seed);
  return buildMap(rows, cols, (_, emit) => {
    for (let c = 0; c < cols; c++) if (next() < density) emit(c, 2 * next() - 1);
  });
}

export const seeds = fc.integer({ min: 1, max: 1 << 30 });

export function toDense(map: LinearMap): number[][] {
  const dense = Array.from({ length: map.rows }, () => new Array<number>(map.cols).fill(0));
  for (let r = 0; r < map.rows; r++) {
    for (let i = map.rowStart[r]!; i < map.rowStart[r + 1]!; i++) dense[r]![map.column[i]!] = map.value[i]!;
  }
  return dense;
}

import type { LinearMap } from './linear_map.js';

/** By row: the first row with the same values whose columns are all less by one distance, and that distance; the row itself and 0 where there is none. */
export interface MovedRows {
  readonly first: Int32Array;
  readonly distance: Int32Array;
}

/** Maps on features of many tokens consist of few rows that are moved along. */
export function movedRows(map: LinearMap): MovedRows {
  const own = { first: new Int32Array(map.cols), distance: Int32Array.from({ length: map.cols }, (_, c) => c) };
  return movedProducts(map, own);
}

/**
 * The same for the rows of outer o inner, from those of the inner map alone: rows of the outer map with the same values that add up inner rows of the same kinds, all moved
 * by one distance.
 */
export function movedProducts(outer: LinearMap, inner: MovedRows): MovedRows {
  const { rows, rowStart, column, value } = outer;
  const first = Int32Array.from({ length: rows }, (_, row) => row);
  const distance = new Int32Array(rows);
  const known = new Map<number, number[]>();
  const apart = (row: number, other: number): number | null => {
    const [start, before] = [rowStart[row] ?? 0, rowStart[other] ?? 0];
    const count = (rowStart[row + 1] ?? 0) - start;
    if (count === 0 || (rowStart[other + 1] ?? 0) - before !== count) return null;
    const by = (inner.distance[column[start] ?? 0] ?? 0) - (inner.distance[column[before] ?? 0] ?? 0);
    for (let i = 0; i < count; i++) {
      const [here, there] = [column[start + i] ?? 0, column[before + i] ?? 0];
      if (value[start + i] !== value[before + i] || inner.first[here] !== inner.first[there]) return null;
      if ((inner.distance[here] ?? 0) - (inner.distance[there] ?? 0) !== by) return null;
    }
    return by;
  };
  for (let row = 0; row < rows; row++) {
    const key = hashOf(value, rowStart[row] ?? 0, rowStart[row + 1] ?? 0);
    const candidates = known.get(key) ?? [];
    for (const other of candidates) {
      const by = apart(row, other);
      if (by === null) continue;
      first[row] = other;
      distance[row] = by;
      break;
    }
    // A handful: maps with many rows of one hash are not what this is for.
    if (first[row] === row && candidates.length < 4) known.set(key, [...candidates, row]);
  }
  return { first, distance };
}

function hashOf(values: Float64Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (values[i] ?? 0) * 0x100000) | 0;
  return hash;
}

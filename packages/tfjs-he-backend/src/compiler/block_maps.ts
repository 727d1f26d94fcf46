import type { LinearMap } from '../graph/linear_map.js';
import { type Partition, placesOf, samePartition } from './partition.js';

/** Of maps and partitions seen before: alternatives differ in few places, and what is known of a map serves again. */
const known = new WeakMap<LinearMap, { readonly rows: Partition; readonly columns: Partition; readonly blocks: LinearMap[][] }[]>();

/** The map cut into blocks, by part of the result and part of the source. */
export function blockMaps(map: LinearMap, rows: Partition, columns: Partition): LinearMap[][] {
  if (rows.length === 1 && columns.length === 1) return [[map]];
  const before = known.get(map) ?? [];
  const same = before.find((other) => samePartition(other.rows, rows) && samePartition(other.columns, columns));
  if (same !== undefined) return same.blocks;
  const blocks = cut(map, rows, columns);
  known.set(map, [...before, { rows, columns, blocks }]);
  return blocks;
}

function cut(map: LinearMap, rows: Partition, columns: Partition): LinearMap[][] {
  const { part, index } = placesOf(columns);
  return rows.map(({ elements }) => {
    const starts = columns.map(() => new Int32Array(elements.length + 1));
    for (const [row, element] of elements.entries()) {
      for (const start of starts) start[row + 1] = start[row] ?? 0;
      const end = map.rowStart[element + 1] ?? 0;
      for (let i = map.rowStart[element] ?? 0; i < end; i++) {
        const start = starts[part[map.column[i] ?? 0] ?? 0];
        if (start !== undefined) start[row + 1] = (start[row + 1] ?? 0) + 1;
      }
    }
    const blocks = starts.map((rowStart, p) => {
      const entries = rowStart[elements.length] ?? 0;
      const cols = columns[p]?.elements.length ?? 0;
      return { rows: elements.length, cols, rowStart, column: new Int32Array(entries), value: new Float64Array(entries) };
    });
    const next = new Int32Array(columns.length);
    for (const element of elements) {
      const end = map.rowStart[element + 1] ?? 0;
      for (let i = map.rowStart[element] ?? 0; i < end; i++) {
        const column = map.column[i] ?? 0;
        const p = part[column] ?? 0;
        const block = blocks[p];
        const at = next[p] ?? 0;
        if (block === undefined) continue;
        block.column[at] = index[column] ?? 0;
        block.value[at] = map.value[i] ?? 0;
        next[p] = at + 1;
      }
    }
    return blocks;
  });
}

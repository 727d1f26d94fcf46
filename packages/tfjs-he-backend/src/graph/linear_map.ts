import { BUG_HINT, HeError } from '../errors.js';
import { MapBuilder } from './map_builder.js';
import { movedProducts, movedRows } from './moved_rows.js';

/**
 * A real matrix from the elements of one tensor to the elements of another (both flattened in row-major order), in compressed sparse row
 * form. Every tfjs op that is linear in its encrypted input becomes one of these, so that adjacent ones compose by a matrix product.
 * Entries of a row are in ascending column order, without duplicates and without zeros.
 */
export interface LinearMap {
  readonly rows: number;
  readonly cols: number;
  /** Length rows + 1: entries of row r are rowStart[r] .. rowStart[r + 1] - 1. */
  readonly rowStart: Int32Array;
  readonly column: Int32Array;
  readonly value: Float64Array;
}

/** Calls `visit(row, column, value)` for every entry, rows ascending. */
function forEachEntry(map: LinearMap, visit: (row: number, column: number, value: number) => void): void {
  const { rows, rowStart, column, value } = map;
  for (let r = 0; r < rows; r++) {
    const end = rowStart[r + 1] ?? 0;
    for (let i = rowStart[r] ?? 0; i < end; i++) visit(r, column[i] ?? 0, value[i] ?? 0);
  }
}

/** Builds a map row by row: `emit(column, value)` may repeat a column (values add up). */
export function buildMap(rows: number, cols: number, row: (r: number, emit: (column: number, value: number) => void) => void): LinearMap {
  const builder = new MapBuilder(rows, cols);
  const emit = (c: number, v: number): void => {
    if (c < 0 || c >= cols) {
      throw new HeError('GRAPH_INVALID', `linear map entry outside of ${rows} x ${cols}`, { hint: BUG_HINT });
    }
    builder.add(c, v);
  };
  for (let r = 0; r < rows; r++) {
    row(r, emit);
    builder.endRow();
  }
  return builder.build();
}

/** y = x, of `size` elements. */
export function identity(size: number): LinearMap {
  return buildMap(size, size, (r, emit) => emit(r, 1));
}

/** Row r reads element `source[r]` (negative: the row is zero) times `factor`. */
export function selection(source: ArrayLike<number>, cols: number, factor = 1): LinearMap {
  return buildMap(source.length, cols, (r, emit) => {
    const c = source[r] ?? -1;
    if (c >= 0) emit(c, factor);
  });
}

/** Row r is multiplied by factors[r]. */
export function scaleRows(map: LinearMap, factors: ArrayLike<number>): LinearMap {
  return buildMap(map.rows, map.cols, (r, emit) => {
    const factor = factors[r] ?? 0;
    const end = map.rowStart[r + 1] ?? 0;
    for (let i = map.rowStart[r] ?? 0; i < end; i++) emit(map.column[i] ?? 0, (map.value[i] ?? 0) * factor);
  });
}

/** a + b. */
export function addMaps(a: LinearMap, b: LinearMap): LinearMap {
  return buildMap(a.rows, a.cols, (r, emit) => {
    for (const map of [a, b]) {
      const end = map.rowStart[r + 1] ?? 0;
      for (let i = map.rowStart[r] ?? 0; i < end; i++) emit(map.column[i] ?? 0, map.value[i] ?? 0);
    }
  });
}

/** Rows become columns. */
export function transpose(map: LinearMap): LinearMap {
  const columns: { row: number; value: number }[][] = Array.from({ length: map.cols }, () => []);
  forEachEntry(map, (row, column, value) => columns[column]?.push({ row, value }));
  return buildMap(map.cols, map.rows, (r, emit) => {
    for (const { row, value } of columns[r] ?? []) emit(row, value);
  });
}

/** outer o inner: first `inner`, then `outer`. */
export function compose(outer: LinearMap, inner: LinearMap): LinearMap {
  if (isMonomial(outer)) return composeMonomial(outer, inner);
  const builder = new MapBuilder(outer.rows, inner.cols);
  // Products of rows that are alike up to their place are alike, too.
  const moved = outer.column.length > 2 * outer.rows ? movedProducts(outer, movedRows(inner)) : null;
  for (let r = 0; r < outer.rows; r++) {
    const first = moved?.first[r] ?? r;
    if (first !== r) {
      builder.repeatRow(first, moved?.distance[r] ?? 0);
      continue;
    }
    const end = outer.rowStart[r + 1] ?? 0;
    for (let i = outer.rowStart[r] ?? 0; i < end; i++) builder.addRow(inner, outer.column[i] ?? 0, outer.value[i] ?? 0);
    builder.endRow();
  }
  return builder.build();
}

/** Rows of `inner`, picked and scaled: no sums, so rows are copied as they are. */
function composeMonomial(outer: LinearMap, inner: LinearMap): LinearMap {
  const { rows, rowStart: outerStart, column: middleOf, value: factors } = outer;
  const rowStart = new Int32Array(rows + 1);
  for (let r = 0; r < rows; r++) {
    const at = outerStart[r] ?? 0;
    const middle = middleOf[at] ?? 0;
    const entries = at === outerStart[r + 1] ? 0 : (inner.rowStart[middle + 1] ?? 0) - (inner.rowStart[middle] ?? 0);
    rowStart[r + 1] = (rowStart[r] ?? 0) + entries;
  }
  const column = new Int32Array(rowStart[rows] ?? 0);
  const value = new Float64Array(column.length);
  for (let r = 0; r < rows; r++) {
    const at = outerStart[r] ?? 0;
    if (at === outerStart[r + 1]) continue;
    const from = inner.rowStart[middleOf[at] ?? 0] ?? 0;
    const to = rowStart[r] ?? 0;
    const length = (rowStart[r + 1] ?? 0) - to;
    const factor = factors[at] ?? 0;
    column.set(inner.column.subarray(from, from + length), to);
    for (let i = 0; i < length; i++) value[to + i] = factor * (inner.value[from + i] ?? 0);
  }
  return withoutZeros({ rows, cols: inner.cols, rowStart, column, value });
}

/** Products of tiny numbers may underflow, and entries are never zero. */
function withoutZeros(map: LinearMap): LinearMap {
  if (map.value.every((value) => value !== 0)) return map;
  return buildMap(map.rows, map.cols, (r, emit) => {
    const end = map.rowStart[r + 1] ?? 0;
    for (let i = map.rowStart[r] ?? 0; i < end; i++) emit(map.column[i] ?? 0, map.value[i] ?? 0);
  });
}

/** map * x + (bias ?? 0). */
export function applyMap(map: LinearMap, x: ArrayLike<number>, bias?: ArrayLike<number> | null): Float64Array {
  const out = new Float64Array(map.rows);
  for (let r = 0; r < map.rows; r++) {
    let sum = bias?.[r] ?? 0;
    const end = map.rowStart[r + 1] ?? 0;
    for (let i = map.rowStart[r] ?? 0; i < end; i++) sum += (map.value[i] ?? 0) * (x[map.column[i] ?? 0] ?? 0);
    out[r] = sum;
  }
  return out;
}

/** At most one entry in every row (a selection, a diagonal, a broadcast): composing with it never makes a map denser. */
export function isMonomial(map: LinearMap): boolean {
  for (let r = 0; r < map.rows; r++) if ((map.rowStart[r + 1] ?? 0) - (map.rowStart[r] ?? 0) > 1) return false;
  return true;
}

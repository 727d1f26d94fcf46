import { HeError } from '../errors.js';

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
export function forEachEntry(map: LinearMap, visit: (row: number, column: number, value: number) => void): void {
  const { rows, rowStart, column, value } = map;
  for (let r = 0; r < rows; r++) {
    const end = rowStart[r + 1] ?? 0;
    for (let i = rowStart[r] ?? 0; i < end; i++) visit(r, column[i] ?? 0, value[i] ?? 0);
  }
}

/** Builds a map row by row: `emit(column, value)` may repeat a column (values add up). */
export function buildMap(rows: number, cols: number, row: (r: number, emit: (column: number, value: number) => void) => void): LinearMap {
  const accumulator = new Float64Array(cols);
  const touched = new Uint8Array(cols);
  const rowStart = new Int32Array(rows + 1);
  let capacity = Math.max(rows, 16);
  let column = new Int32Array(capacity);
  let value = new Float64Array(capacity);
  let count = 0;
  let seen: number[] = [];
  const emit = (c: number, v: number): void => {
    if (c < 0 || c >= cols) {
      throw new HeError('GRAPH_INVALID', `linear map entry outside of ${rows} x ${cols}`, { hint: 'This is a bug of tfjs-he-backend.' });
    }
    if (touched[c] === 0) {
      touched[c] = 1;
      seen.push(c);
    }
    accumulator[c] = (accumulator[c] ?? 0) + v;
  };
  for (let r = 0; r < rows; r++) {
    row(r, emit);
    if (seen.length > 1) seen.sort((a, b) => a - b);
    if (count + seen.length > capacity) {
      capacity = Math.max(2 * capacity, count + seen.length);
      column = grow(column, new Int32Array(capacity));
      value = grow(value, new Float64Array(capacity));
    }
    for (const c of seen) {
      const v = accumulator[c] ?? 0;
      if (v !== 0) {
        column[count] = c;
        value[count] = v;
        count++;
      }
      accumulator[c] = 0;
      touched[c] = 0;
    }
    seen = [];
    rowStart[r + 1] = count;
  }
  return { rows, cols, rowStart, column: column.slice(0, count), value: value.slice(0, count) };
}

function grow<A extends Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
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

/** outer o inner: first `inner`, then `outer`. */
export function compose(outer: LinearMap, inner: LinearMap): LinearMap {
  return buildMap(outer.rows, inner.cols, (r, emit) => {
    const end = outer.rowStart[r + 1] ?? 0;
    for (let i = outer.rowStart[r] ?? 0; i < end; i++) {
      const middle = outer.column[i] ?? 0;
      const factor = outer.value[i] ?? 0;
      const innerEnd = inner.rowStart[middle + 1] ?? 0;
      for (let j = inner.rowStart[middle] ?? 0; j < innerEnd; j++) emit(inner.column[j] ?? 0, factor * (inner.value[j] ?? 0));
    }
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

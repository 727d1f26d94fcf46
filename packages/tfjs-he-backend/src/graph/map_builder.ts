import type { LinearMap } from './linear_map.js';

/** Makes a map of rows in their order, each collected in a dense accumulator. */
export class MapBuilder {
  private readonly accumulator: Float64Array;
  private readonly touched: Uint8Array;
  private readonly rowStart: Int32Array;
  private column: Int32Array;
  private value: Float64Array;
  private seen: number[] = [];
  private count = 0;
  private row = 0;

  constructor(
    private readonly rows: number,
    private readonly cols: number,
  ) {
    this.accumulator = new Float64Array(cols);
    this.touched = new Uint8Array(cols);
    this.rowStart = new Int32Array(rows + 1);
    this.column = new Int32Array(Math.max(rows, 16));
    this.value = new Float64Array(Math.max(rows, 16));
  }

  add(column: number, value: number): void {
    if (this.touched[column] === 0) {
      this.touched[column] = 1;
      this.seen.push(column);
    }
    this.accumulator[column] = (this.accumulator[column] ?? 0) + value;
  }

  /** factor * row r of a map. */
  addRow({ rowStart, column, value }: LinearMap, r: number, factor: number): void {
    const { accumulator, touched, seen } = this;
    const end = rowStart[r + 1] ?? 0;
    for (let i = rowStart[r] ?? 0; i < end; i++) {
      const c = column[i] ?? 0;
      if (touched[c] === 0) {
        touched[c] = 1;
        seen.push(c);
      }
      accumulator[c] = (accumulator[c] ?? 0) + factor * (value[i] ?? 0);
    }
  }

  /** The next row is a row that is done, its columns further on by `distance`. */
  repeatRow(row: number, distance: number): void {
    const [start, end] = [this.rowStart[row] ?? 0, this.rowStart[row + 1] ?? 0];
    this.reserve(end - start);
    for (let i = start; i < end; i++) {
      this.column[this.count] = (this.column[i] ?? 0) + distance;
      this.value[this.count] = this.value[i] ?? 0;
      this.count++;
    }
    this.row++;
    this.rowStart[this.row] = this.count;
  }

  endRow(): void {
    const { seen, accumulator, touched } = this;
    if (!isAscending(seen)) seen.sort((a, b) => a - b);
    this.reserve(seen.length);
    for (const c of seen) {
      const v = accumulator[c] ?? 0;
      if (v !== 0) {
        this.column[this.count] = c;
        this.value[this.count] = v;
        this.count++;
      }
      accumulator[c] = 0;
      touched[c] = 0;
    }
    this.seen = [];
    this.row++;
    this.rowStart[this.row] = this.count;
  }

  private reserve(entries: number): void {
    if (this.count + entries <= this.column.length) return;
    const capacity = Math.max(2 * this.column.length, this.count + entries);
    this.column = grow(this.column, new Int32Array(capacity));
    this.value = grow(this.value, new Float64Array(capacity));
  }

  build(): LinearMap {
    const { rows, cols, rowStart, count } = this;
    return { rows, cols, rowStart, column: this.column.slice(0, count), value: this.value.slice(0, count) };
  }
}

function isAscending(list: readonly number[]): boolean {
  for (let i = 1; i < list.length; i++) if ((list[i - 1] ?? 0) > (list[i] ?? 0)) return false;
  return true;
}

function grow<A extends Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

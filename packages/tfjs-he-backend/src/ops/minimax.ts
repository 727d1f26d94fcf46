/** Iterations of the exchange; it converges quadratically, so that more are not needed but where doubles end. */
const ITERATIONS = 16;
/** The exchange ends when the largest error is above the levelled one by less than this. */
const CLOSE = 1e-3;
/** Points per coefficient among which extrema are looked for. */
const GRID_PER_COEFFICIENT = 24;

/** The nearest polynomial of a degree. */
export interface Minimax {
  /** Chebyshev coefficients on [-1, 1]. */
  readonly coefficients: Float64Array;
  /** Largest absolute error found. */
  readonly error: number;
}

/**
 * The polynomial of a degree that is nearest to `f` on [-1, 1] in the largest absolute error, by the exchange algorithm of Remez (E. Ya. Remez, 1934; Cheney, Introduction to
 * Approximation Theory, chapter 3, section 8), from the extrema of the next Chebyshev polynomial on.
 * @param f smooth, with an error curve that has no more extrema than degree + 2, such as 1/x and 1/sqrt(x)
 * @returns null where the errors are too close to rounding to be told apart
 */
export function minimax(f: (u: number) => number, degree: number): Minimax | null {
  const count = degree + 2;
  const grid = Float64Array.from(
    { length: GRID_PER_COEFFICIENT * count + 1 },
    (_, i) => -Math.cos((Math.PI * i) / (GRID_PER_COEFFICIENT * count)),
  );
  const values = grid.map(f);
  let reference: Float64Array = Float64Array.from({ length: count }, (_, j) => -Math.cos((Math.PI * j) / (degree + 1)));
  let best: Minimax | null = null;
  for (let i = 0; i < ITERATIONS; i++) {
    const solution = levelled(f, reference);
    if (solution === null) return best;
    const coefficients = solution.subarray(0, degree + 1);
    const errors = values.map((value, k) => value - clenshaw(coefficients, grid[k] ?? 0));
    const error = errors.reduce((most, e) => Math.max(most, Math.abs(e)), 0);
    if (best === null || error < best.error) best = { coefficients, error };
    if (error <= (1 + CLOSE) * Math.abs(solution[degree + 1] ?? 0)) return best;
    const next = alternating(grid, errors, count);
    if (next === null) return best;
    reference = next;
  }
  return best;
}

/** sum_k c_k T_k(u). */
export function clenshaw(coefficients: Float64Array, u: number): number {
  let [next, afterNext] = [0, 0];
  for (let k = coefficients.length - 1; k > 0; k--) {
    [next, afterNext] = [(coefficients[k] ?? 0) + 2 * u * next - afterNext, next];
  }
  return (coefficients[0] ?? 0) + u * next - afterNext;
}

/** Coefficients of the polynomial whose errors in the reference are equal and alternate, and that error; null when the equations are singular to doubles. */
function levelled(f: (u: number) => number, reference: Float64Array): Float64Array | null {
  const rows = Array.from(reference, (u, j) => {
    const row = new Float64Array(reference.length + 1);
    let [before, current] = [u, 1];
    for (let k = 0; k < reference.length - 1; k++) {
      row[k] = current;
      [before, current] = [current, 2 * u * current - before];
    }
    row[reference.length - 1] = j % 2 === 0 ? 1 : -1;
    row[reference.length] = f(u);
    return row;
  });
  return solve(rows);
}

/** Gaussian elimination with partial pivoting of n rows of n + 1 numbers, the last of each its right-hand side. */
function solve(rows: Float64Array[]): Float64Array | null {
  const n = rows.length;
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let pivot = 0; pivot < n; pivot++) {
    let largest = pivot;
    for (let row = pivot + 1; row < n; row++) if (Math.abs(at(row, pivot)) > Math.abs(at(largest, pivot))) largest = row;
    const top = rows[largest];
    const displaced = rows[pivot];
    if (top === undefined || displaced === undefined || top[pivot] === 0) return null;
    [rows[pivot], rows[largest]] = [top, displaced];
    for (let row = pivot + 1; row < n; row++) {
      const target = rows[row] ?? top;
      const factor = (target[pivot] ?? 0) / (top[pivot] ?? 1);
      for (let column = pivot; column <= n; column++) target[column] = (target[column] ?? 0) - factor * (top[column] ?? 0);
    }
  }
  const solution = new Float64Array(n);
  for (let row = n - 1; row >= 0; row--) {
    let rest = at(row, n);
    for (let column = row + 1; column < n; column++) rest -= at(row, column) * (solution[column] ?? 0);
    solution[row] = rest / at(row, row);
  }
  return solution.every(Number.isFinite) ? solution : null;
}

/** The largest error of each run of one sign, as many as asked for; null when there are fewer runs. Of more, the smaller end goes. */
function alternating(grid: Float64Array, errors: Float64Array, count: number): Float64Array | null {
  const extrema: number[] = [];
  errors.forEach((error, i) => {
    const last = extrema.at(-1);
    if (last === undefined || Math.sign(error) === -Math.sign(errors[last] ?? 0)) extrema.push(i);
    else if (Math.abs(error) > Math.abs(errors[last] ?? 0)) extrema[extrema.length - 1] = i;
  });
  const size = (index: number | undefined): number => Math.abs(errors[index ?? 0] ?? 0);
  while (extrema.length > count) {
    if (size(extrema[0]) < size(extrema.at(-1))) extrema.shift();
    else extrema.pop();
  }
  return extrema.length < count ? null : Float64Array.from(extrema, (i) => grid[i] ?? 0);
}

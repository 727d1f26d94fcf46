import { ApproximationError } from '../errors.js';

/** Solves `matrix @ x = rhs` by Gaussian elimination with partial pivoting. @throws ApproximationError for a singular matrix */
export function solveLinearSystem(matrix: readonly (readonly number[])[], rhs: readonly number[]): number[] {
  const n = rhs.length;
  const rows: number[][] = matrix.map((row, i) => [...row, rhs[i] ?? 0]);
  const at = (i: number): number[] => rows[i] ?? [];
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(at(i)[column] ?? 0) > Math.abs(at(pivot)[column] ?? 0)) pivot = i;
    const pivotRow = at(pivot);
    const pivotValue = pivotRow[column] ?? 0;
    if (pivotValue === 0)
      throw new ApproximationError('The linear system of the Remez exchange is singular. Use another degree.', { column });
    rows[pivot] = at(column);
    rows[column] = pivotRow;
    for (let i = column + 1; i < n; i++) {
      const row = at(i);
      const factor = (row[column] ?? 0) / pivotValue;
      for (let j = column; j <= n; j++) row[j] = (row[j] ?? 0) - factor * (pivotRow[j] ?? 0);
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    const row = at(i);
    let sum = row[n] ?? 0;
    for (let j = i + 1; j < n; j++) sum -= (row[j] ?? 0) * (x[j] ?? 0);
    x[i] = sum / (row[i] ?? 1);
  }
  return x;
}

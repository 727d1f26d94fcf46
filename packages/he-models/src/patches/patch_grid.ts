/** How an array becomes tokens: windows over a grid of `height` rows and `width` columns; a signal is a grid of one row. */
export interface PatchGrid {
  readonly height: number;
  readonly width: number;
  readonly patchHeight: number;
  readonly patchWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  /** Rows and columns of zeros on every side. */
  readonly paddingY: number;
  readonly paddingX: number;
  /** Values are taken as `(value - offset) / scale`. */
  readonly offset: number;
  readonly scale: number;
}

/** Rows and columns of windows. */
export function windows(grid: PatchGrid): readonly [rows: number, columns: number] {
  return [
    1 + Math.floor((grid.height + 2 * grid.paddingY - grid.patchHeight) / grid.strideY),
    1 + Math.floor((grid.width + 2 * grid.paddingX - grid.patchWidth) / grid.strideX),
  ];
}

/** Number of tokens. */
export function tokenCount(grid: PatchGrid): number {
  const [rows, columns] = windows(grid);
  return rows * columns;
}

/** Values of one token. */
export function patchLength(grid: PatchGrid): number {
  return grid.patchHeight * grid.patchWidth;
}

/**
 * Cuts an array into its windows, row by row, each row-major; what lies outside of the grid is 0 after scaling.
 *
 * @param values `[height * width]`, row-major
 * @param target where to write, `[tokens * patchLength]`; zeros beforehand
 * @param shift moves the content down and right by whole places; it may move into the padding, and beyond it is lost
 */
export function cutPatches(
  values: ArrayLike<number>,
  grid: PatchGrid,
  target: Float32Array,
  shift: readonly [down: number, right: number] = [0, 0],
): void {
  const { height, width, patchHeight, patchWidth, offset, scale } = grid;
  const [rows, columns] = windows(grid);
  let at = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      for (let y = 0; y < patchHeight; y += 1) {
        const line = row * grid.strideY - grid.paddingY + y - shift[0];
        for (let x = 0; x < patchWidth; x += 1, at += 1) {
          const place = column * grid.strideX - grid.paddingX + x - shift[1];
          if (line < 0 || line >= height || place < 0 || place >= width) continue;
          target[at] = ((values[line * width + place] ?? 0) - offset) / scale;
        }
      }
    }
  }
}

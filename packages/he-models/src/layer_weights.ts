import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';

/**
 * Gives a layer weights by their names within it.
 *
 * @param named values of every weight, row-major in its shape
 * @param absent what becomes of weights that are not named
 * @throws TypeError for a weight that is not named, unless it becomes zeros
 */
export function setNamedWeights(
  layer: layers.Layer,
  named: Readonly<Record<string, Float32Array>>,
  absent: 'refused' | 'zeros' = 'refused',
): void {
  tf.tidy(() => {
    layer.setWeights(
      layer.weights.map(({ originalName, shape }) => {
        const sizes = shape.map((size) => size ?? 0);
        const found = Object.entries(named).find(([name]) => originalName === name || originalName.endsWith(`/${name}`));
        if (found !== undefined) return tf.tensor(found[1], sizes);
        if (absent === 'refused') throw new TypeError(`No values for the weight ${originalName}.`);
        return tf.zeros(sizes);
      }),
    );
  });
}

/** `[columns, rows]`, row-major, of a matrix `[rows, columns]`: PyTorch keeps a row per output, tfjs a column. */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) result[column * rows + row] = matrix[row * columns + column] ?? 0;
  }
  return result;
}

import * as tf from '@tensorflow/tfjs-core';
import type { TensorNode } from '../../src/graph/node.js';
import { traceFunction } from '../../src/index.js';
import { randomValues } from './random.js';

export const ROWS = 4;
export const WIDTH = 3;
const W = randomValues(WIDTH * WIDTH, 2, 0.5);
/** Which output each state of {@link traceShiftRegister} is. */
export const STATE = { cache: 1, row: 2 };

/** A shift register of what W makes of the inputs, and the squares of its sum: `row` is deep, `cache` takes no level. */
function step(x: tf.Tensor, cache: tf.Tensor, row: tf.Tensor): tf.Tensor[] {
  const sum = tf.add(cache, row);
  const moved = tf.concat([tf.slice(sum, [ROWS - 1, 0], [1, WIDTH]), tf.slice(sum, [0, 0], [ROWS - 1, WIDTH])], 0);
  const first = tf.tensor2d([1, ...new Array<number>(ROWS - 1).fill(0)], [ROWS, 1]);
  const y = tf.matMul(tf.square(tf.reshape(x, [1, WIDTH])), tf.tensor2d(Float32Array.from(W), [WIDTH, WIDTH]));
  const next = tf.sub(tf.mul(first, y), tf.mul(first, moved));
  const held = tf.add(tf.mul(tf.sub(1, first), moved), tf.mul(first, y));
  return [tf.square(tf.sum(held, 0)), moved, next];
}

/** Inputs x, cache and row; the last two are state. */
export function traceShiftRegister(): Promise<TensorNode[]> {
  const shapes = { x: [WIDTH], cache: [ROWS, WIDTH], row: [ROWS, WIDTH] };
  return traceFunction(
    (inputs) => step(...(inputs as [tf.Tensor, tf.Tensor, tf.Tensor])),
    Object.entries(shapes).map(([name, shape]) => ({ name, shape })),
  );
}

/** Outputs for inputs one after the other, in the clear: each of the last inputs counts. */
export function expectedOutputs(inputs: readonly Float64Array[]): number[][] {
  const mapped = inputs.map((x) =>
    Array.from({ length: WIDTH }, (_, j) => x.reduce((sum, v, i) => sum + v * v * (W[i * WIDTH + j] ?? 0), 0)),
  );
  return mapped.map((_, t) =>
    Array.from(
      { length: WIDTH },
      (_unused, j) => mapped.slice(Math.max(0, t - ROWS + 1), t + 1).reduce((sum, y) => sum + (y[j] ?? 0), 0) ** 2,
    ),
  );
}

export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  return Math.max(...Array.from(expected, (value, i) => Math.abs(value - (actual[i] ?? Number.NaN))));
}

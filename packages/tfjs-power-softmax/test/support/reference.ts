import * as tf from '@tensorflow/tfjs-core';

/** PowerSoftmax of one row in float64, as written: x^p / (L epsilon + sum x^p), with x / max|x| so that nothing overflows. */
export function powerSoftmaxRow(row: readonly number[], p: number, epsilon: number): number[] {
  const largest = Math.max(...row.map(Math.abs));
  if (largest === 0) return row.map(() => 0);
  const powered = row.map((x) => (x / largest) ** p);
  const denominator = powered.reduce((sum, x) => sum + x, 0) + (epsilon === 0 ? 0 : (row.length * epsilon) / largest ** p);
  return powered.map((x) => x / denominator);
}

/** Central differences of a float64 function of a vector. */
export function numericalGradient(f: (x: number[]) => number, x: readonly number[], step = 1e-5): number[] {
  return x.map((_, i) => {
    const at = (delta: number): number => f(x.map((value, j) => (i === j ? value + delta : value)));
    return (at(step) - at(-step)) / (2 * step);
  });
}

/** Largest `|a - b| / (1 + |b|)`. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Entries of a tensor, disposing it. */
export function valuesOf(tensor: tf.Tensor): number[] {
  const values = Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}

/** Reproducible normal entries. */
export function normal(shape: number[], seed: number, deviation = 1): tf.Tensor {
  return tf.randomNormal(shape, 0, deviation, 'float32', seed);
}

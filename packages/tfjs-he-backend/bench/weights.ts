import * as tf from '@tensorflow/tfjs-core';

/** Weights from a linear congruential sequence (Numerical Recipes): the same on every machine. Tensors are made inside the body, on its backend. */
export class Weights {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  matrix(rows: number, cols: number): () => tf.Tensor2D {
    const values = this.values(rows * cols, 1 / Math.sqrt(rows));
    return () => tf.tensor2d(values, [rows, cols]);
  }

  row(size: number): () => tf.Tensor2D {
    const values = this.values(size, 0.1);
    return () => tf.tensor2d(values, [1, size]);
  }

  private values(size: number, bound: number): Float32Array {
    return Float32Array.from({ length: size }, () => {
      this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
      return (this.state / 2 ** 31 - 1) * bound;
    });
  }
}

import * as tf from '@tensorflow/tfjs-core';
import type { TensorNode } from '../../src/graph/node.js';
import { traceFunction } from '../../src/index.js';
import { randomValues } from './random.js';

export interface AttentionShape {
  readonly tokens: number;
  readonly heads: number;
  readonly headDim: number;
  readonly labels: number;
}

/** Polynomial attention with p = 2, a row sum instead of a reciprocal, a residual, mean pooling and a head: every kind of node there is. */
export function tinyAttention(shape: AttentionShape, seed = 1): (x: tf.Tensor) => tf.Tensor {
  const { tokens, heads, headDim, labels } = shape;
  const width = heads * headDim;
  const weight = (rows: number, cols: number, k: number): tf.Tensor2D =>
    tf.tensor2d(Float32Array.from(randomValues(rows * cols, seed + k, 1 / Math.sqrt(rows))), [rows, cols]);
  const heads4 = (x: tf.Tensor): tf.Tensor => tf.transpose(tf.reshape(x, [1, tokens, heads, headDim]), [0, 2, 1, 3]);
  return (x) => {
    const flat = tf.reshape(x, [tokens, width]);
    const project = (k: number): tf.Tensor => heads4(tf.matMul(flat, weight(width, width, k)));
    const scores = tf.square(tf.matMul(project(1), project(2), false, true));
    const gain = tf.add(tf.mul(tf.mean(scores, -1, true), 0.5), 1);
    const mixed = tf.mul(tf.matMul(scores, project(3)), gain);
    const merged = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [tokens, width]);
    const sum = tf.add(tf.matMul(merged, weight(width, width, 4)), flat);
    const centred = tf.sub(sum, tf.mean(sum, -1, true));
    return tf.add(tf.matMul(tf.mean(tf.reshape(centred, [1, tokens, width]), 1), weight(width, labels, 5)), 0.25);
  };
}

export function traceAttention(shape: AttentionShape, seed = 1): Promise<TensorNode[]> {
  const body = tinyAttention(shape, seed);
  return traceFunction((x) => body(x as tf.Tensor), [{ name: 'input', shape: [1, shape.tokens, shape.heads * shape.headDim] }]);
}

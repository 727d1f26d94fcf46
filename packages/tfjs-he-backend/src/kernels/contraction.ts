import type { TensorInfo } from '@tensorflow/tfjs-core';
import { buildMap, type LinearMap, selection } from '../graph/linear_map.js';
import { type MatMulNode, sizeOf, type TensorNode } from '../graph/node.js';
import type { KernelCall } from './shared.js';

/**
 * out[h, i, j] = sum_k a[indexA(h, i, k)] * b[indexB(h, k, j)], with h < batch, i < m, j < n, k < k. Indices are into the row-major elements of
 * the operands; a negative one stands for a zero (padding). Matrix products, convolutions and einsums are all of this form.
 */
export interface Contraction {
  readonly dims: MatMulNode['dims'];
  readonly indexA: (h: number, i: number, k: number) => number;
  readonly indexB: (h: number, k: number, j: number) => number;
}

/** Node of a contraction: a linear map when one operand is plaintext, a ciphertext matmul when both are encrypted. */
export function recordContraction(
  { backend }: KernelCall,
  a: TensorInfo,
  b: TensorInfo,
  { dims, indexA, indexB }: Contraction,
  shape: readonly number[],
): TensorNode {
  const { recorder } = backend;
  if (!backend.isEncrypted(b)) {
    const values = backend.plainValues(b);
    const map = contractionMap(dims, sizeOf(a.shape), (h, i, j, k) => [indexA(h, i, k), values[indexB(h, k, j)] ?? 0]);
    return recorder.linear(shape, backend.nodeOf(a), map);
  }
  if (!backend.isEncrypted(a)) {
    const values = backend.plainValues(a);
    const map = contractionMap(dims, sizeOf(b.shape), (h, i, j, k) => [indexB(h, k, j), values[indexA(h, i, k)] ?? 0]);
    return recorder.linear(shape, backend.nodeOf(b), map);
  }
  const { batch, m, k, n } = dims;
  const gather = (tensor: TensorInfo, extents: readonly [number, number, number], index: Contraction['indexA']): TensorNode => {
    const [, rows, cols] = extents;
    const node = backend.nodeOf(tensor);
    const indices = Int32Array.from({ length: sizeOf(extents) }, (_, e) =>
      index(Math.floor(e / (rows * cols)), Math.floor(e / cols) % rows, e % cols),
    );
    // The node itself when nothing moves.
    if (indices.length === sizeOf(node.shape) && indices.every((from, to) => from === to)) return node;
    return recorder.linear(extents, node, selection(indices, sizeOf(node.shape)));
  };
  return recorder.matMul(shape, gather(a, [batch, m, k], indexA), gather(b, [batch, k, n], indexB), dims);
}

/** The map of a contraction that is linear in the operand with `cols` elements; `entry` gives an element of it and its factor. */
export function contractionMap(
  { batch, m, k, n }: MatMulNode['dims'],
  cols: number,
  entry: (h: number, i: number, j: number, k: number) => readonly [number, number],
): LinearMap {
  return buildMap(batch * m * n, cols, (row, emit) => {
    const h = Math.floor(row / (m * n));
    const i = Math.floor(row / n) % m;
    const j = row % n;
    for (let l = 0; l < k; l++) {
      const [column, value] = entry(h, i, j, l);
      if (value !== 0 && column >= 0) emit(column, value);
    }
  });
}

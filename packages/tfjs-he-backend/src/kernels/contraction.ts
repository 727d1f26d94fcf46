import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { HeBackend } from '../backend/he_backend.js';
import { buildMap, type LinearMap, selection } from '../graph/linear_map.js';
import { type MatMulNode, sizeOf, type TensorNode } from '../graph/node.js';
import type { KernelCall } from './shared.js';

/**
 * out[h, i, j] = sum_l a[indexA(h, i, l)] * b[indexB(h, l, j)], with h < batch, i < m, j < n, l < k. Indices are into the row-major elements of
 * the operands; a negative one stands for a zero (padding). Matrix products, convolutions and einsums are all of this form.
 */
export interface Contraction {
  readonly dims: MatMulNode['dims'];
  readonly indexA: (h: number, i: number, k: number) => number;
  readonly indexB: (h: number, k: number, j: number) => number;
}

/**
 * Node of a contraction: a linear map when one operand is plaintext; when both are encrypted a ciphertext matmul, or products of elements where one
 * of m, n and k is 1 (then no more products are needed than an operand or the result has elements).
 */
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
  const contraction = { dims, indexA, indexB };
  const { batch, m, k, n } = dims;
  if (Math.min(m, n, k) === 1) return elementProducts(backend, a, b, contraction, shape);
  const index3 =
    (rows: number, cols: number, index: Contraction['indexA']) =>
    (e: number): number =>
      index(Math.floor(e / (rows * cols)), Math.floor(e / cols) % rows, e % cols);
  const left = gather(backend, a, [batch, m, k], index3(m, k, indexA));
  return recorder.matMul(shape, left, gather(backend, b, [batch, k, n], index3(k, n, indexB)), dims);
}

/** Both encrypted: one product of all pairs of elements, then their sums. */
function elementProducts(
  backend: HeBackend,
  a: TensorInfo,
  b: TensorInfo,
  { dims: { batch, m, k, n }, indexA, indexB }: Contraction,
  shape: readonly number[],
): TensorNode {
  const { recorder } = backend;
  const extents = [batch, m, n, k];
  const at = (e: number): readonly [number, number, number, number] => [
    Math.floor(e / (m * n * k)),
    Math.floor(e / (n * k)) % m,
    Math.floor(e / k) % n,
    e % k,
  ];
  const left = gather(backend, a, extents, (e) => {
    const [h, i, , l] = at(e);
    return indexA(h, i, l);
  });
  const right = gather(backend, b, extents, (e) => {
    const [h, , j, l] = at(e);
    return indexB(h, l, j);
  });
  const sums = buildMap(batch * m * n, sizeOf(extents), (row, emit) => {
    for (let l = 0; l < k; l++) emit(row * k + l, 1);
  });
  return recorder.linear(shape, recorder.product(left, right), sums);
}

/** The operand's elements in the places of `extents`; the node itself when nothing moves. */
function gather(backend: HeBackend, tensor: TensorInfo, extents: readonly number[], index: (element: number) => number): TensorNode {
  const node = backend.nodeOf(tensor);
  const indices = Int32Array.from({ length: sizeOf(extents) }, (_, element) => index(element));
  const same = indices.length === sizeOf(node.shape) && indices.every((from, to) => from === to);
  if (same && node.shape.join() === extents.join()) return node;
  return backend.recorder.linear(extents, node, selection(indices, sizeOf(node.shape)));
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

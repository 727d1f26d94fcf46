import { BatchMatMul, type TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { buildMap, type LinearMap, selection } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { input, type KernelCall, kernel } from './shared.js';

/** op(a) op(b) with op a transpose of the last two axes or nothing; shapes [..., M, K] and [..., K, N]. */
export interface MatMulOperands {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

export const batchMatMulConfig = kernel(BatchMatMul, (call) => {
  const operands = {
    a: input(call, 'a'),
    b: input(call, 'b'),
    transposeA: call.attrs.transposeA === true,
    transposeB: call.attrs.transposeB === true,
  };
  return call.backend.wrap(recordMatMul(call, operands));
});

/** Node of the product; plaintext on one side makes it a linear map. */
export function recordMatMul(call: KernelCall, { a, b, transposeA, transposeB }: MatMulOperands): TensorNode {
  const { backend } = call;
  const left = matrixShape(a.shape, transposeA);
  const right = matrixShape(b.shape, transposeB);
  if (left.cols !== right.rows || (left.batch !== right.batch && left.batch !== 1 && right.batch !== 1)) {
    throw new HeError('GRAPH_INVALID', `matMul shapes [${a.shape.join()}] and [${b.shape.join()}] do not fit`, {
      op: call.name,
      hint: 'Check the operands.',
    });
  }
  const batch = Math.max(left.batch, right.batch);
  const lead = (left.batch >= right.batch ? a : b).shape.slice(0, -2);
  const dims = { batch, m: left.rows, k: left.cols, n: right.cols };
  const shape = [...lead, dims.m, dims.n];
  const indexA = (h: number, i: number, k: number): number => elementIndex(a.shape, transposeA, left.batch === 1 ? 0 : h, i, k);
  const indexB = (h: number, k: number, j: number): number => elementIndex(b.shape, transposeB, right.batch === 1 ? 0 : h, k, j);
  if (!backend.isEncrypted(b)) {
    const values = backend.plainValues(b);
    const map = contraction(dims, sizeOf(a.shape), (h, i, j, k) => [indexA(h, i, k), values[indexB(h, k, j)] ?? 0]);
    return backend.recorder.linear(shape, backend.nodeOf(a), map);
  }
  if (!backend.isEncrypted(a)) {
    const values = backend.plainValues(a);
    const map = contraction(dims, sizeOf(b.shape), (h, i, j, k) => [indexB(h, k, j), values[indexA(h, i, k)] ?? 0]);
    return backend.recorder.linear(shape, backend.nodeOf(b), map);
  }
  const leftNode = rearranged(call, a, [batch, dims.m, dims.k], indexA);
  const rightNode = rearranged(call, b, [batch, dims.k, dims.n], indexB);
  return backend.recorder.matMul(shape, leftNode, rightNode, dims);
}

function matrixShape(shape: readonly number[], transpose: boolean): { batch: number; rows: number; cols: number } {
  const [rows, cols] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const batch = sizeOf(shape.slice(0, -2));
  return transpose ? { batch, rows: cols, cols: rows } : { batch, rows, cols };
}

function elementIndex(shape: readonly number[], transpose: boolean, h: number, row: number, col: number): number {
  const [rows, cols] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return h * rows * cols + (transpose ? col * cols + row : row * cols + col);
}

type Dims = { readonly batch: number; readonly m: number; readonly k: number; readonly n: number };

function contraction(
  { batch, m, k, n }: Dims,
  cols: number,
  entry: (h: number, i: number, j: number, k: number) => readonly [number, number],
): LinearMap {
  return buildMap(batch * m * n, cols, (row, emit) => {
    const h = Math.floor(row / (m * n));
    const i = Math.floor(row / n) % m;
    const j = row % n;
    for (let l = 0; l < k; l++) {
      const [column, value] = entry(h, i, j, l);
      if (value !== 0) emit(column, value);
    }
  });
}

/** The operand as [batch, rows, cols], transposed and broadcast as asked; the node itself when nothing moves. */
function rearranged(
  call: KernelCall,
  tensor: TensorInfo,
  [batch, rows, cols]: readonly [number, number, number],
  index: (h: number, row: number, col: number) => number,
): TensorNode {
  const node = call.backend.nodeOf(tensor);
  const indices = Int32Array.from({ length: batch * rows * cols }, (_, e) =>
    index(Math.floor(e / (rows * cols)), Math.floor(e / cols) % rows, e % cols),
  );
  if (indices.length === sizeOf(node.shape) && indices.every((from, to) => from === to)) return node;
  return call.backend.recorder.linear([batch, rows, cols], node, selection(indices, sizeOf(node.shape)));
}

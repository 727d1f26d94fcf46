import { BatchMatMul, backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { recordContraction } from './contraction.js';
import { broadcastIndices, input, type KernelCall, kernel } from './shared.js';

/** op(a) op(b) with op a transpose of the last two axes or nothing; shapes [..., M, K] and [..., K, N], leading axes broadcast. */
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
  const left = matrixShape(a.shape, transposeA);
  const right = matrixShape(b.shape, transposeB);
  if (left.cols !== right.rows) {
    throw new HeError('GRAPH_INVALID', `matMul shapes [${a.shape.join()}] and [${b.shape.join()}] do not fit`, {
      op: call.name,
      hint: 'Check the operands.',
    });
  }
  const lead = backend_util.assertAndGetBroadcastShape(left.lead, right.lead);
  const batchA = broadcastIndices(left.lead, lead);
  const batchB = broadcastIndices(right.lead, lead);
  const dims = { batch: sizeOf(lead), m: left.rows, k: left.cols, n: right.cols };
  const contraction = {
    dims,
    indexA: (h: number, i: number, k: number) => elementIndex(a.shape, transposeA, batchA[h] ?? 0, i, k),
    indexB: (h: number, k: number, j: number) => elementIndex(b.shape, transposeB, batchB[h] ?? 0, k, j),
  };
  return recordContraction(call, a, b, contraction, [...lead, dims.m, dims.n]);
}

function matrixShape(shape: readonly number[], transpose: boolean): { lead: number[]; rows: number; cols: number } {
  const [rows, cols] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const lead = shape.slice(0, -2);
  return transpose ? { lead, rows: cols, cols: rows } : { lead, rows, cols };
}

function elementIndex(shape: readonly number[], transpose: boolean, h: number, row: number, col: number): number {
  const [rows, cols] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return h * rows * cols + (transpose ? col * cols + row : row * cols + col);
}

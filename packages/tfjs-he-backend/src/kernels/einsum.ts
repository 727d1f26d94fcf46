import { backend_util, Einsum, type TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { selection } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { contractionMap, recordContraction } from './contraction.js';
import { type KernelCall, kernel, tensorsOf } from './shared.js';

/** Sums of products by subscripts, of one or two tensors, as tf.einsum has them (no ellipsis, no repeated subscript in a term). */
export const einsumConfig = kernel(Einsum, (call) => {
  const tensors = tensorsOf(call);
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(String(call.attrs.equation), tensors.length);
  const kept = allDims.map((_, id) => id).filter((id) => !summedDims.includes(id));
  const subscripts = { terms: idDims, summed: summedDims, kept, extents: extentsOf(call, tensors, idDims) };
  const [a, b] = tensors;
  if (a === undefined) return [];
  return b === undefined ? sum(call, a, subscripts) : sumOfProducts(call, a, b, subscripts);
});

/** An equation; subscripts are numbers. */
interface Subscripts {
  /** Those of the axes of every tensor. */
  readonly terms: readonly (readonly number[])[];
  readonly summed: readonly number[];
  /** Those of the axes of the result. */
  readonly kept: readonly number[];
  /** By subscript. */
  readonly extents: readonly number[];
}

/** @throws HeError GRAPH_INVALID when a subscript has two extents. */
function extentsOf(call: KernelCall, tensors: readonly TensorInfo[], terms: readonly (readonly number[])[]): number[] {
  const extents: number[] = [];
  for (const [t, ids] of terms.entries()) {
    const dimensions = tensors[t]?.shape ?? [];
    for (const [axis, id] of ids.entries()) {
      const dimension = dimensions[axis] ?? 1;
      extents[id] ??= dimension;
      if (extents[id] === dimension) continue;
      throw new HeError(
        'GRAPH_INVALID',
        `expected dimension ${extents[id]} at axis ${axis} of input shaped [${dimensions.join()}], but got dimension ${dimension}`,
        { op: call.name, hint: 'Give every subscript one extent.' },
      );
    }
  }
  return extents;
}

function shapeOf(ids: readonly number[], { extents }: Subscripts): number[] {
  return ids.map((id) => extents[id] ?? 1);
}

/** Where in a tensor of axes `of` the elements of a walk over `ids` (row-major) lie. */
function offsets(ids: readonly number[], of: readonly number[], subscripts: Subscripts): Int32Array {
  const strides = ids.map((id) => (of.includes(id) ? sizeOf(shapeOf(of.slice(of.indexOf(id) + 1), subscripts)) : 0));
  return walk(shapeOf(ids, subscripts), strides);
}

function sum({ backend }: KernelCall, a: TensorInfo, subscripts: Subscripts): TensorInfo {
  const { kept, summed } = subscripts;
  const [ids = []] = subscripts.terms;
  const [out, over] = [offsets(kept, ids, subscripts), offsets(summed, ids, subscripts)];
  const dims = { batch: 1, m: out.length, k: over.length, n: 1 };
  const map = contractionMap(dims, sizeOf(a.shape), (_, i, __, k) => [(out[i] ?? 0) + (over[k] ?? 0), 1]);
  return backend.wrap(backend.recorder.linear(shapeOf(kept, subscripts), backend.nodeOf(a), map));
}

/** Subscripts of both tensors are a batch, those of one its rows or columns: a product of matrices, transposed to the order asked for. */
function sumOfProducts(call: KernelCall, a: TensorInfo, b: TensorInfo, subscripts: Subscripts): TensorInfo {
  const { kept, summed } = subscripts;
  const [idsA = [], idsB = []] = subscripts.terms;
  const both = kept.filter((id) => idsA.includes(id) && idsB.includes(id));
  const onlyA = kept.filter((id) => !idsB.includes(id));
  const onlyB = kept.filter((id) => !idsA.includes(id));
  const [batchA, rowsA, sumA] = [both, onlyA, summed].map((ids) => offsets(ids, idsA, subscripts));
  const [batchB, sumB, colsB] = [both, summed, onlyB].map((ids) => offsets(ids, idsB, subscripts));
  const contraction = {
    dims: { batch: batchA?.length ?? 1, m: rowsA?.length ?? 1, k: sumA?.length ?? 1, n: colsB?.length ?? 1 },
    indexA: (h: number, i: number, k: number) => (batchA?.[h] ?? 0) + (rowsA?.[i] ?? 0) + (sumA?.[k] ?? 0),
    indexB: (h: number, k: number, j: number) => (batchB?.[h] ?? 0) + (sumB?.[k] ?? 0) + (colsB?.[j] ?? 0),
  };
  const order = [...both, ...onlyA, ...onlyB];
  const node = recordContraction(call, a, b, contraction, shapeOf(order, subscripts));
  const shape = shapeOf(kept, subscripts);
  const { backend } = call;
  return backend.wrap(backend.recorder.linear(shape, node, selection(offsets(kept, order, subscripts), sizeOf(shape))));
}

/** sum of position * stride over the axes, for every position of a tensor of shape `extents`, row-major. */
function walk(extents: readonly number[], strides: readonly number[]): Int32Array {
  return Int32Array.from({ length: sizeOf(extents) }, (_, element) => {
    let rest = element;
    let offset = 0;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const dimension = extents[axis] ?? 1;
      offset += (rest % dimension) * (strides[axis] ?? 0);
      rest = Math.floor(rest / dimension);
    }
    return offset;
  });
}

import { backend_util, Einsum } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { selection } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { contractionMap, recordContraction } from './contraction.js';
import { kernel, tensorsOf } from './shared.js';

/** Sums of products by subscripts, of one or two tensors, as tf.einsum has them (no ellipsis, no repeated subscript in a term). */
export const einsumConfig = kernel(Einsum, (call) => {
  const { backend } = call;
  const tensors = tensorsOf(call);
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(String(call.attrs.equation), tensors.length);
  const extent: number[] = [];
  for (const [t, ids] of idDims.entries()) {
    const dimensions = tensors[t]?.shape ?? [];
    for (const [axis, id] of ids.entries()) {
      const dimension = dimensions[axis] ?? 1;
      extent[id] ??= dimension;
      if (extent[id] === dimension) continue;
      throw new HeError(
        'GRAPH_INVALID',
        `expected dimension ${extent[id]} at axis ${axis} of input shaped [${dimensions.join()}], but got dimension ${dimension}`,
        { op: call.name, hint: 'Give every subscript one extent.' },
      );
    }
  }
  const kept = allDims.map((_, id) => id).filter((id) => !summedDims.includes(id));
  const shape = kept.map((id) => extent[id] ?? 1);
  const [a, b] = tensors;
  const [idsA = [], idsB = []] = idDims;
  if (a === undefined) return [];
  /** Where in tensor `of` the elements of a walk over `ids` (row-major) lie. */
  const offsets = (ids: readonly number[], of: readonly number[]): Int32Array => {
    const strides = ids.map((id) => (of.includes(id) ? sizeOf(of.slice(of.indexOf(id) + 1).map((other) => extent[other] ?? 1)) : 0));
    return walk(
      ids.map((id) => extent[id] ?? 1),
      strides,
    );
  };
  if (b === undefined) {
    const [out, summed] = [offsets(kept, idsA), offsets(summedDims, idsA)];
    const dims = { batch: 1, m: out.length, k: summed.length, n: 1 };
    const map = contractionMap(dims, sizeOf(a.shape), (_, i, __, k) => [(out[i] ?? 0) + (summed[k] ?? 0), 1]);
    return backend.wrap(backend.recorder.linear(shape, backend.nodeOf(a), map));
  }
  const both = kept.filter((id) => idsA.includes(id) && idsB.includes(id));
  const onlyA = kept.filter((id) => !idsB.includes(id));
  const onlyB = kept.filter((id) => !idsA.includes(id));
  const [batchA, rowsA, sumA] = [both, onlyA, summedDims].map((ids) => offsets(ids, idsA));
  const [batchB, sumB, colsB] = [both, summedDims, onlyB].map((ids) => offsets(ids, idsB));
  const dims = { batch: batchA?.length ?? 1, m: rowsA?.length ?? 1, k: sumA?.length ?? 1, n: colsB?.length ?? 1 };
  const order = [...both, ...onlyA, ...onlyB];
  const node = recordContraction(
    call,
    a,
    b,
    {
      dims,
      indexA: (h, i, k) => (batchA?.[h] ?? 0) + (rowsA?.[i] ?? 0) + (sumA?.[k] ?? 0),
      indexB: (h, k, j) => (batchB?.[h] ?? 0) + (sumB?.[k] ?? 0) + (colsB?.[j] ?? 0),
    },
    order.map((id) => extent[id] ?? 1),
  );
  return backend.wrap(backend.recorder.linear(shape, node, selection(offsets(kept, order), sizeOf(shape))));
});

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

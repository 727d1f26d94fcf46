import { backend_util, ScatterNd, UnsortedSegmentSum } from '@tensorflow/tfjs-core';
import { buildMap, type LinearMap } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { input, kernel, requirePlain } from './shared.js';

/** Rows of `x` summed by plaintext segment; ids may have several axes, those out of range are left out. */
export const unsortedSegmentSumConfig = kernel(UnsortedSegmentSum, (call) => {
  requirePlain(call, ['segmentIds']);
  const { backend } = call;
  const x = input(call, 'x');
  const ids = input(call, 'segmentIds');
  const segments = Number(call.attrs.numSegments);
  const inner = sizeOf(x.shape.slice(ids.shape.length));
  const map = sums(
    sizeOf(x.shape),
    segments * inner,
    backend.plainValues(ids).map((id) => (id >= 0 && id < segments ? id : -1)),
    inner,
  );
  return backend.wrap(backend.recorder.linear([segments, ...x.shape.slice(ids.shape.length)], backend.nodeOf(x), map));
});

/** Encrypted updates at plaintext indices of a tensor of zeros; updates of one place add up. */
export const scatterNdConfig = kernel(ScatterNd, (call) => {
  requirePlain(call, ['indices']);
  const { backend } = call;
  const updates = input(call, 'updates');
  const indices = input(call, 'indices');
  const shape = Array.isArray(call.attrs.shape) ? call.attrs.shape.map(Number) : [];
  const { sliceRank, numUpdates, sliceSize, strides } = backend_util.calculateShapes(updates, indices, shape);
  const values = backend.plainValues(indices);
  const slices = Float64Array.from({ length: numUpdates }, (_, i) => {
    let slice = 0;
    for (let axis = 0; axis < sliceRank; axis++) slice += (values[i * sliceRank + axis] ?? 0) * (strides[axis] ?? 0);
    return slice;
  });
  const map = sums(numUpdates * sliceSize, sizeOf(shape), slices, sliceSize);
  return backend.wrap(backend.recorder.linear(shape, backend.nodeOf(updates), map));
});

/** Slice i of `inner` elements is added to slice to[i] of the result; to nothing when that is negative. */
function sums(size: number, resultSize: number, to: Float64Array, inner: number): LinearMap {
  const sources: number[][] = Array.from({ length: resultSize / inner }, () => []);
  for (const [i, slice] of to.entries()) sources[slice]?.push(i);
  return buildMap(resultSize, size, (row, emit) => {
    for (const i of sources[Math.floor(row / inner)] ?? []) emit(i * inner + (row % inner), 1);
  });
}

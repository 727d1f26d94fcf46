import { util } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { buildMap } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { type EncryptedKernel, input } from './shared.js';

/** Sum over `attrs.axis` (all axes when absent), times 1 / count for a mean. */
export function reduction(mean: boolean): EncryptedKernel {
  return (call) => {
    const { backend } = call;
    const x = input(call, 'x');
    const { axis, keepDims } = call.attrs;
    const axes = util.parseAxisParam(axesOf(axis, x.shape.length), x.shape);
    const reduced = x.shape.map((dimension, i) => (axes.includes(i) ? 1 : dimension));
    const shape = keepDims === true ? reduced : x.shape.filter((_, i) => !axes.includes(i));
    const count = sizeOf(axes.map((i) => x.shape[i] ?? 1));
    const factor = mean ? 1 / count : 1;
    const size = sizeOf(reduced);
    const members: number[][] = Array.from({ length: size }, () => []);
    for (let element = 0; element < sizeOf(x.shape); element++) members[reducedIndex(element, x.shape, axes)]?.push(element);
    const map = buildMap(size, sizeOf(x.shape), (row, emit) => {
      for (const element of members[row] ?? []) emit(element, factor);
    });
    return backend.wrap(backend.recorder.linear(shape, backend.nodeOf(x), map));
  };
}

/** The axes of a reduction: all of them when none are given. */
export function axesOf(axis: unknown, rank: number): number | number[] {
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, i) => i);
  if (typeof axis === 'number') return axis;
  if (Array.isArray(axis) && axis.every((a) => typeof a === 'number')) return axis.map(Number);
  throw new HeError('GRAPH_INVALID', 'reduction axes are not numbers', { hint: 'Give an axis or a list of axes.' });
}

/** Element of the result that an element of the input is reduced to. */
export function reducedIndex(element: number, shape: readonly number[], axes: readonly number[]): number {
  let rest = element;
  let index = 0;
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dimension = shape[axis] ?? 1;
    const position = rest % dimension;
    rest = (rest - position) / dimension;
    if (axes.includes(axis)) continue;
    index += position * stride;
    stride *= dimension;
  }
  return index;
}

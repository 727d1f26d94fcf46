import { Cumsum } from '@tensorflow/tfjs-core';
import { buildMap } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { input, kernel } from './shared.js';

/** Running sums along one axis; `exclusive` leaves the element itself out, `reverse` runs from the end. */
export const cumsumConfig = kernel(Cumsum, (call) => {
  const { backend, attrs } = call;
  const x = input(call, 'x');
  const axis = Number(attrs.axis ?? 0);
  const along = axis < 0 ? axis + x.shape.length : axis;
  const length = x.shape[along] ?? 1;
  const stride = sizeOf(x.shape.slice(along + 1));
  const size = sizeOf(x.shape);
  const map = buildMap(size, size, (row, emit) => {
    const position = Math.floor(row / stride) % length;
    const first = row - position * stride;
    for (let i = 0; i < length; i++) {
      const before = attrs.reverse === true ? i > position : i < position;
      if (before || (i === position && attrs.exclusive !== true)) emit(first + i * stride, 1);
    }
  });
  return backend.wrap(backend.recorder.linear(x.shape, backend.nodeOf(x), map));
});

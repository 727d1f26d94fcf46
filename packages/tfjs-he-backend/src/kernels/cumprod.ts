import { Cumprod } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { selection } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { input, kernel } from './shared.js';

const MAX_FACTORS = 256;

/**
 * Running products along one axis of at most 256 elements, by doubling: ceil(log2 n) levels. `exclusive` leaves the element itself out, `reverse` runs
 * from the end.
 */
export const cumprodConfig = kernel(Cumprod, (call) => {
  const { backend, attrs } = call;
  const x = input(call, 'x');
  const axis = Number(attrs.axis ?? 0);
  const along = axis < 0 ? axis + x.shape.length : axis;
  const length = x.shape[along] ?? 1;
  if (length > MAX_FACTORS) {
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${call.name}' over ${length} encrypted elements`, {
      op: call.name,
      hint: `At most ${MAX_FACTORS} factors are possible: compute it in the clear, or over a smaller axis.`,
    });
  }
  const stride = sizeOf(x.shape.slice(along + 1));
  const size = sizeOf(x.shape);
  /** Elements `steps` earlier on the way; ones where the way starts later. */
  const earlier = (node: TensorNode, steps: number): TensorNode => {
    const from = Int32Array.from({ length: size }, (_, element) => {
      const position = (Math.floor(element / stride) % length) + (attrs.reverse === true ? steps : -steps);
      return position < 0 || position >= length ? -1 : element + (attrs.reverse === true ? steps : -steps) * stride;
    });
    const ones = Float64Array.from(from, (element) => (element < 0 ? 1 : 0));
    return backend.recorder.linear(x.shape, node, selection(from, size), ones);
  };
  let products = earlier(backend.nodeOf(x), attrs.exclusive === true ? 1 : 0);
  for (let steps = 1; steps < length; steps *= 2) products = backend.recorder.product(products, earlier(products, steps));
  return backend.wrap(products);
});

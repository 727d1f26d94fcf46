import { Prod, util } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { selection } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { axesOf, reducedIndex } from './reduce.js';
import { input, type KernelCall, kernel } from './shared.js';

const MAX_FACTORS = 256;

/** Product over `attrs.axis` (all axes when absent) of at most 256 elements, as a tree: ceil(log2 n) levels. */
export const prodConfig = kernel(Prod, (call) => {
  const { backend } = call;
  const x = input(call, 'x');
  const { axis, keepDims } = call.attrs;
  const axes = util.parseAxisParam(axesOf(axis, x.shape.length), x.shape);
  const factors = sizeOf(axes.map((i) => x.shape[i] ?? 1));
  if (factors > MAX_FACTORS) {
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${call.name}' over ${factors} encrypted elements`, {
      op: call.name,
      hint: `At most ${MAX_FACTORS} factors are possible: reduce in the clear, or over a smaller axis.`,
    });
  }
  const reduced = x.shape.map((dimension, i) => (axes.includes(i) ? 1 : dimension));
  const shape = keepDims === true ? reduced : x.shape.filter((_, i) => !axes.includes(i));
  // from[f][out]: the f-th factor of every result.
  const from = Array.from({ length: factors }, () => new Int32Array(sizeOf(reduced)));
  const seen = new Int32Array(sizeOf(reduced));
  for (let element = 0; element < sizeOf(x.shape); element++) {
    const out = reducedIndex(element, x.shape, axes);
    const slice = from[seen[out] ?? 0];
    if (slice !== undefined) slice[out] = element;
    seen[out] = (seen[out] ?? 0) + 1;
  }
  const slices = from.map((indices) => backend.recorder.linear(shape, backend.nodeOf(x), selection(indices, sizeOf(x.shape))));
  return backend.wrap(productOf(call, slices));
});

function productOf(call: KernelCall, factors: readonly TensorNode[]): TensorNode {
  const [first, second] = factors;
  if (first === undefined)
    throw new HeError('GRAPH_INVALID', 'a product of nothing', { op: call.name, hint: 'Give a tensor with elements.' });
  if (second === undefined) return first;
  const half = Math.ceil(factors.length / 2);
  return call.backend.recorder.product(productOf(call, factors.slice(0, half)), productOf(call, factors.slice(half)));
}

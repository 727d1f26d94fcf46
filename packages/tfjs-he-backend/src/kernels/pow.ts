import { Pow, type TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { identity, selection } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { broadcastIndices, broadcastShape, broadcastValues, input, type KernelCall, kernel, requirePlain } from './shared.js';

const MAX_EXPONENT = 64;

/** x^n for one plaintext integer n in 1..64, by repeated squaring: ceil(log2 n) levels. */
export const powConfig = kernel(Pow, (call) => {
  requirePlain(call, ['b']);
  const a = input(call, 'a');
  const b = input(call, 'b');
  const shape = broadcastShape(a, b);
  const [exponent = 0, ...rest] = new Set(broadcastValues(call, b, shape));
  if (rest.length > 0 || !Number.isInteger(exponent) || exponent < 1 || exponent > MAX_EXPONENT) {
    throw new HeError(
      'KERNEL_UNSUPPORTED',
      `kernel '${call.name}' on an encrypted tensor takes one integer exponent from 1 to ${MAX_EXPONENT}`,
      {
        op: call.name,
        hint: 'Write other powers as a polynomial over a calibrated interval.',
      },
    );
  }
  return call.backend.wrap(power(call, base(call, a, shape), exponent));
});

function base(call: KernelCall, tensor: TensorInfo, shape: readonly number[]): TensorNode {
  const node = call.backend.nodeOf(tensor);
  const indices = broadcastIndices(tensor.shape, shape);
  const map = indices.length === sizeOf(node.shape) ? identity(indices.length) : selection(indices, sizeOf(node.shape));
  return call.backend.recorder.linear(shape, node, map);
}

/** Halves first, so that no power is deeper than it must be. */
function power(call: KernelCall, x: TensorNode, exponent: number): TensorNode {
  const known = new Map<number, TensorNode>([[1, x]]);
  const of = (n: number): TensorNode => {
    let node = known.get(n);
    if (node === undefined) {
      node = call.backend.recorder.product(of(Math.ceil(n / 2)), of(Math.floor(n / 2)));
      known.set(n, node);
    }
    return node;
  };
  return of(exponent);
}

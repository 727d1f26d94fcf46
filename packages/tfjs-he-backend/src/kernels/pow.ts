import { Pow, type TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { identity, scaleRows, selection } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { broadcastIndices, broadcastShape, broadcastValues, input, type KernelCall, kernel, requirePlain } from './shared.js';

const MAX_EXPONENT = 256;

/** x^n for plaintext integers n in 0..256, one for all elements or one each, by repeated squaring: ceil(log2 n) levels, one more when they differ. */
export const powConfig = kernel(Pow, (call) => {
  requirePlain(call, ['b']);
  const { backend } = call;
  const a = input(call, 'a');
  const b = input(call, 'b');
  const shape = broadcastShape(a, b);
  const exponents = broadcastValues(call, b, shape);
  if (!exponents.every((n) => Number.isInteger(n) && n >= 0 && n <= MAX_EXPONENT)) {
    throw new HeError(
      'KERNEL_UNSUPPORTED',
      `kernel '${call.name}' on an encrypted tensor takes integer exponents from 0 to ${MAX_EXPONENT}`,
      {
        op: call.name,
        hint: 'Write other powers as a polynomial over a calibrated interval.',
      },
    );
  }
  const powerOf = powersOf(call, base(call, a, shape));
  const distinct = [...new Set(exponents)].filter((n) => n > 0);
  const [only] = distinct;
  if (only !== undefined && exponents.every((n) => n === only)) return backend.wrap(powerOf(only));
  const terms = distinct.map((exponent) => ({
    map: scaleRows(
      identity(exponents.length),
      exponents.map((n) => (n === exponent ? 1 : 0)),
    ),
    source: powerOf(exponent),
  }));
  return backend.wrap(
    backend.recorder.affine(
      shape,
      terms,
      exponents.map((n) => (n === 0 ? 1 : 0)),
    ),
  );
});

function base(call: KernelCall, tensor: TensorInfo, shape: readonly number[]): TensorNode {
  const node = call.backend.nodeOf(tensor);
  const indices = broadcastIndices(tensor.shape, shape);
  const map = indices.length === sizeOf(node.shape) ? identity(indices.length) : selection(indices, sizeOf(node.shape));
  return call.backend.recorder.linear(shape, node, map);
}

/** Powers of x, each made once. Halves first, so that no power is deeper than it must be. */
function powersOf(call: KernelCall, x: TensorNode): (exponent: number) => TensorNode {
  const known = new Map<number, TensorNode>([[1, x]]);
  const of = (n: number): TensorNode => {
    let node = known.get(n);
    if (node === undefined) {
      node = call.backend.recorder.product(of(Math.ceil(n / 2)), of(Math.floor(n / 2)));
      known.set(n, node);
    }
    return node;
  };
  return of;
}

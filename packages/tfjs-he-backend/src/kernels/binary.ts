import type { TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { scaleRows } from '../graph/linear_map.js';
import type { TensorNode } from '../graph/node.js';
import { broadcastMap, broadcastShape, broadcastValues, type EncryptedKernel, input, type KernelCall } from './shared.js';

/** a + sign * b, either of them encrypted, broadcasting. */
export function addition(sign: 1 | -1): EncryptedKernel {
  return (call) => {
    const { backend } = call;
    const a = input(call, 'a');
    const b = input(call, 'b');
    const shape = broadcastShape(a, b);
    const terms = [];
    let bias: Float64Array | null = null;
    for (const [tensor, factor] of [
      [a, 1],
      [b, sign],
    ] as const) {
      if (backend.isEncrypted(tensor)) terms.push({ map: broadcastMap(tensor.shape, shape, factor), source: backend.nodeOf(tensor) });
      else bias = broadcastValues(call, tensor, shape).map((x) => factor * x);
    }
    return backend.wrap(backend.recorder.affine(shape, terms, bias));
  };
}

/** a * b, broadcasting; a ciphertext product only when both are encrypted. */
export const multiplication: EncryptedKernel = (call) => multiply(call, input(call, 'a'), input(call, 'b'));

/** The same for tensors that are no arguments of the kernel. */
export function multiply(call: KernelCall, a: TensorInfo, b: TensorInfo): TensorInfo {
  const { backend } = call;
  const shape = broadcastShape(a, b);
  if (backend.isEncrypted(a) && backend.isEncrypted(b)) {
    const left = broadcastNode(call, a, shape);
    const right = a.dataId === b.dataId ? left : broadcastNode(call, b, shape);
    return backend.wrap(backend.recorder.product(left, right));
  }
  const [cipher, plain] = backend.isEncrypted(a) ? [a, b] : [b, a];
  return scaled(call, cipher, shape, broadcastValues(call, plain, shape));
}

/** Encrypted tensor times plaintext factors of the result's shape. */
export function scaled(call: KernelCall, cipher: TensorInfo, shape: readonly number[], factors: Float64Array): TensorInfo {
  const { backend } = call;
  const map = scaleRows(broadcastMap(cipher.shape, shape), factors);
  return backend.wrap(backend.recorder.linear(shape, backend.nodeOf(cipher), map));
}

function broadcastNode(call: KernelCall, tensor: TensorInfo, shape: readonly number[]): TensorNode {
  const node = call.backend.nodeOf(tensor);
  if (tensor.shape.join() === shape.join() && node.shape.join() === shape.join()) return node;
  return call.backend.recorder.linear(shape, node, broadcastMap(tensor.shape, shape));
}

/** Encrypted / plaintext. */
export const division: EncryptedKernel = (call) => {
  const a = input(call, 'a');
  const b = input(call, 'b');
  if (call.backend.isEncrypted(b)) {
    throw new HeError('KERNEL_UNSUPPORTED', 'a divisor is encrypted', {
      op: call.name,
      hint: 'Divide by plaintext, or multiply by reciprocal(x, {interval, bits}) of this package.',
    });
  }
  const shape = broadcastShape(a, b);
  const factors = broadcastValues(call, b, shape).map((x) => 1 / x);
  if (!factors.every(Number.isFinite)) {
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${call.name}' divides by zero`, {
      op: call.name,
      hint: 'Give a divisor without zeros.',
    });
  }
  return scaled(call, a, shape, factors);
};

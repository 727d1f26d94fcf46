import {
  backend_util,
  getKernel,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { BACKEND_NAME, HeBackend } from '../backend/he_backend.js';
import { HeError } from '../errors.js';
import { identity, type LinearMap, selection } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';

/** One call of a kernel; an encrypted kernel gets it when at least one of the inputs is encrypted. */
export interface KernelCall {
  readonly name: string;
  readonly inputs: NamedTensorInfoMap;
  readonly attrs: NamedAttrMap;
  readonly backend: HeBackend;
}

/** Records what the call computes, or throws a typed error. */
export type EncryptedKernel = (call: KernelCall) => TensorInfo | TensorInfo[];

/**
 * A kernel of the he backend: plaintext inputs go to the CPU kernel of the same name at once (or to `plain`), encrypted ones to
 * `encrypted`, which records.
 */
export function kernel(kernelName: string, encrypted: EncryptedKernel, plain: EncryptedKernel = runPlain): KernelConfig {
  return {
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, attrs, backend }) => {
      if (!(backend instanceof HeBackend)) {
        throw new HeError('GRAPH_INVALID', `kernel ${kernelName} was called with a foreign backend`, {
          hint: 'Install one copy of tfjs-he-backend.',
        });
      }
      const call: KernelCall = { name: kernelName, inputs: inputs ?? {}, attrs: attrs ?? {}, backend };
      if (!tensorsOf(call).some((tensor) => backend.isEncrypted(tensor))) return plain(call);
      backend.announce(kernelName);
      return encrypted(call);
    },
  };
}

/** All input tensors; variadic kernels (AddN, Concat, Pack) have them under '0', '1', ... */
export function tensorsOf({ inputs }: KernelCall): TensorInfo[] {
  return Object.values(inputs).flatMap((input) => (Array.isArray(input) ? input : input === undefined || input === null ? [] : [input]));
}

/** Runs the CPU backend's kernel on plaintext inputs. */
export function runPlain({ name, inputs, attrs, backend }: KernelCall): TensorInfo | TensorInfo[] {
  const config = getKernel(name, 'cpu');
  if (config === undefined || config === null) {
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${name}' has no CPU implementation`, {
      op: name,
      hint: 'Use another tfjs operation.',
    });
  }
  return config.kernelFunc({ inputs, attrs, backend: backend.plain });
}

/** An argument of the kernel. @throws HeError GRAPH_INVALID when it is missing, which no op of tfjs lets happen. */
export function input(call: KernelCall, name: string): TensorInfo {
  const tensor = call.inputs[name];
  if (tensor === undefined)
    throw new HeError('GRAPH_INVALID', `kernel ${call.name} lacks input '${name}'`, {
      op: call.name,
      hint: 'Call the op of tfjs-core rather than its kernel.',
    });
  return tensor;
}

/** For kernels that are linear in one input and need the others in the clear. */
export function requirePlain(call: KernelCall, names: readonly string[]): void {
  for (const name of names) {
    const tensor = call.inputs[name];
    if (tensor !== undefined && tensor !== null && call.backend.isEncrypted(tensor)) {
      throw new HeError('KERNEL_UNSUPPORTED', `input '${name}' of kernel '${call.name}' is encrypted`, {
        op: call.name,
        hint: `Only plaintext is possible there; pass '${name}' in the clear.`,
      });
    }
  }
}

/** Source element of every element of `to` under numpy broadcasting from `from`. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Int32Array {
  const indices = new Int32Array(sizeOf(to));
  const offset = to.length - from.length;
  const strides = from.map((dimension, axis) => (dimension === 1 ? 0 : sizeOf(from.slice(axis + 1))));
  for (let element = 0; element < indices.length; element++) {
    let rest = element;
    let index = 0;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const dimension = to[axis] ?? 1;
      const position = rest % dimension;
      rest = (rest - position) / dimension;
      if (axis >= offset) index += position * (strides[axis - offset] ?? 0);
    }
    indices[element] = index;
  }
  return indices;
}

/** Broadcast as a linear map. */
export function broadcastMap(from: readonly number[], to: readonly number[], factor = 1): LinearMap {
  if (factor === 1 && from.join() === to.join()) return identity(sizeOf(to));
  return selection(broadcastIndices(from, to), sizeOf(from), factor);
}

/** Values of a plaintext tensor, broadcast. */
export function broadcastValues(call: KernelCall, tensor: TensorInfo, to: readonly number[]): Float64Array {
  const values = call.backend.plainValues(tensor);
  return Float64Array.from(broadcastIndices(tensor.shape, to), (index) => values[index] ?? 0);
}

/** What two shapes broadcast to, as tfjs does. @throws Error of tfjs when they do not. */
export function broadcastShape(a: TensorInfo, b: TensorInfo): number[] {
  return backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
}

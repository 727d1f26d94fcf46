import type { TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { selection } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { type EncryptedKernel, type KernelCall, runPlain, tensorsOf } from './shared.js';

// Element indices travel through CPU kernels as float32, which is exact below this.
const MAX_ELEMENTS = 2 ** 24;

/**
 * Kernels that only move elements (reshape, transpose, slice, gather, tile, pad with zeros, concat ...): the CPU kernel runs on tensors of
 * element numbers, and the numbers that come out say which element goes where. 0 stands for "a zero".
 * Plaintext inputs among the moved ones become the bias.
 * @param moved names of the inputs that are moved; null: all of them
 * @param fill name of the attribute with the value of elements that come from nowhere; they are zero without one
 */
export function movement(moved: readonly string[] | null, fill?: string): EncryptedKernel {
  return (call) => {
    const { backend } = call;
    const sources = movedInputs(call, moved);
    const total = sources.reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
    if (total >= MAX_ELEMENTS) {
      throw new HeError('GRAPH_INVALID', `kernel '${call.name}' moves ${total} elements`, {
        op: call.name,
        hint: `At most ${MAX_ELEMENTS} are possible.`,
      });
    }
    let next = 1;
    const first = new Map<TensorInfo, number>();
    const temporary: TensorInfo[] = [];
    const numbered = (tensor: TensorInfo): TensorInfo => {
      const size = sizeOf(tensor.shape);
      const start = first.get(tensor) ?? next;
      if (start === next) next += size;
      first.set(tensor, start);
      const values = Float32Array.from({ length: size }, (_, i) => start + i);
      const made = backend.plain.makeTensorInfo(tensor.shape, 'float32', values);
      temporary.push(made);
      return made;
    };
    const inputs = Object.fromEntries(
      Object.entries(call.inputs).map(([name, tensor]) => [
        name,
        tensor !== undefined && sources.includes(tensor) ? numbered(tensor) : tensor,
      ]),
    );
    // Variadic kernels get their inputs as an array.
    const attrs = fill === undefined ? call.attrs : { ...call.attrs, [fill]: 0 };
    const result = runPlain({ ...call, attrs, inputs: Array.isArray(call.inputs) ? Object.assign([], inputs) : inputs });
    const filler = fill === undefined ? 0 : Number(call.attrs[fill] ?? 0);
    const outputs = (Array.isArray(result) ? result : [result]).map((out) => record(call, out, first, filler));
    for (const tensor of temporary) backend.plain.disposeData(tensor.dataId);
    return Array.isArray(result) ? outputs : (outputs[0] ?? []);
  };
}

function movedInputs(call: KernelCall, moved: readonly string[] | null): TensorInfo[] {
  const all = moved === null ? tensorsOf(call) : moved.flatMap((name) => call.inputs[name] ?? []);
  for (const tensor of tensorsOf(call)) {
    if (call.backend.isEncrypted(tensor) && !all.includes(tensor)) {
      throw new HeError('KERNEL_UNSUPPORTED', `kernel '${call.name}' has encrypted indices`, {
        op: call.name,
        hint: 'Indices must be plaintext.',
      });
    }
  }
  return all;
}

function record(call: KernelCall, out: TensorInfo, first: ReadonlyMap<TensorInfo, number>, filler: number): TensorInfo {
  const { backend } = call;
  const numbers = backend.plainValues(out);
  backend.plain.disposeData(out.dataId);
  const terms = [];
  let bias = filler === 0 ? null : Float64Array.from(numbers, (number) => (number === 0 ? filler : 0));
  for (const [tensor, start] of first) {
    const size = sizeOf(tensor.shape);
    const mine = (number: number): boolean => number >= start && number < start + size;
    if (backend.isEncrypted(tensor)) {
      const from = Int32Array.from(numbers, (number) => (mine(number) ? number - start : -1));
      terms.push({ map: selection(from, size), source: backend.nodeOf(tensor) });
      continue;
    }
    const values = backend.plainValues(tensor);
    bias ??= new Float64Array(numbers.length);
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i] ?? 0;
      if (mine(number)) bias[i] = values[number - start] ?? 0;
    }
  }
  return backend.wrap(backend.recorder.affine(out.shape, terms, bias));
}

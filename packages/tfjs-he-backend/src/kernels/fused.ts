import type { TensorInfo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { identity } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { broadcastMap, broadcastValues, type EncryptedKernel, type KernelCall, runPlain } from './shared.js';

/**
 * A fused kernel: what `record` makes of the operands named, plus the input `bias`, any of them encrypted or plaintext. A bias of rank 1 belongs
 * to the last axis, or to axis 1 for NCHW.
 * @throws HeError KERNEL_UNSUPPORTED when the activation is not linear.
 */
export function fusedWithBias(operands: readonly string[], record: (call: KernelCall) => TensorNode): EncryptedKernel {
  return (call) => {
    requireLinearActivation(call);
    const { backend, inputs } = call;
    const bias = inputs.bias ?? null;
    if (operands.some((name) => inputs[name] !== undefined && backend.isEncrypted(inputs[name]))) {
      const node = record(call);
      return backend.wrap(bias === null ? node : plusBias(call, node, shaped(call, bias)));
    }
    // Only the bias is encrypted.
    const [result] = [runPlain({ ...call, inputs: { ...inputs, bias: undefined } })].flat();
    if (result === undefined || bias === null) return [];
    const values = backend.plainValues(result);
    backend.plain.disposeData(result.dataId);
    const term = { map: broadcastMap(shaped(call, bias).shape, result.shape), source: backend.nodeOf(bias) };
    return backend.wrap(backend.recorder.affine(result.shape, [term], values));
  };
}

function requireLinearActivation({ name, attrs: { activation } }: KernelCall): void {
  if (activation === undefined || activation === null || activation === 'linear') return;
  throw new HeError('KERNEL_UNSUPPORTED', `activation '${String(activation)}' of a fused kernel has no polynomial form`, {
    op: name,
    hint: 'Convert the model with toPolynomial of tfjs-power-softmax, or use a linear activation followed by a polynomial.',
  });
}

function shaped({ attrs }: KernelCall, bias: TensorInfo): TensorInfo {
  return attrs.dataFormat === 'NCHW' && bias.shape.length === 1 ? { ...bias, shape: [...bias.shape, 1, 1] } : bias;
}

function plusBias(call: KernelCall, node: TensorNode, bias: TensorInfo): TensorNode {
  const { backend } = call;
  const term = { map: identity(sizeOf(node.shape)), source: node };
  if (!backend.isEncrypted(bias)) return backend.recorder.affine(node.shape, [term], broadcastValues(call, bias, node.shape));
  return backend.recorder.affine(node.shape, [term, { map: broadcastMap(bias.shape, node.shape), source: backend.nodeOf(bias) }]);
}

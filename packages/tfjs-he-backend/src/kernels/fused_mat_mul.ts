import { _FusedMatMul } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { identity } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { recordMatMul } from './batch_mat_mul.js';
import { broadcastValues, input, kernel, requirePlain } from './shared.js';

export const fusedMatMulConfig = kernel(_FusedMatMul, (call) => {
  const { backend, attrs } = call;
  const { activation } = attrs;
  if (activation !== undefined && activation !== null && activation !== 'linear') {
    throw new HeError('KERNEL_UNSUPPORTED', `activation '${String(activation)}' of a fused matMul has no polynomial form`, {
      op: call.name,
      hint: 'Convert the model with toPolynomial of tfjs-power-softmax, or use a linear activation followed by a polynomial.',
    });
  }
  requirePlain(call, ['bias', 'preluActivationWeights']);
  const node = recordMatMul(call, {
    a: input(call, 'a'),
    b: input(call, 'b'),
    transposeA: attrs.transposeA === true,
    transposeB: attrs.transposeB === true,
  });
  const { bias } = call.inputs;
  if (bias === undefined || bias === null) return backend.wrap(node);
  const values = broadcastValues(call, bias, node.shape);
  return backend.wrap(backend.recorder.linear(node.shape, node, identity(sizeOf(node.shape)), values));
});

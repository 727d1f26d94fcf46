import { Pack } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { movement } from './movement.js';
import { kernel, tensorsOf } from './shared.js';

const move = movement(null);

export const packConfig = kernel(Pack, (call) => {
  if (tensorsOf(call).some((tensor) => tensor.dtype !== 'float32')) {
    throw new HeError('GRAPH_INVALID', `kernel '${call.name}' stacks tensors of several types`, {
      op: call.name,
      hint: 'Encrypted tensors are float32; cast the others to it.',
    });
  }
  return move(call);
});

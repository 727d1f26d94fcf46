import { Cast } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { identity } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { input, kernel } from './shared.js';

export const castConfig = kernel(Cast, (call) => {
  const x = input(call, 'x');
  if (call.attrs.dtype !== 'float32') {
    throw new HeError('KERNEL_UNSUPPORTED', `an encrypted tensor cannot be cast to ${String(call.attrs.dtype)}`, {
      op: call.name,
      hint: 'Encrypted tensors are float32; cast before encryption or after decryption.',
    });
  }
  return call.backend.wrap(call.backend.recorder.linear(x.shape, call.backend.nodeOf(x), identity(sizeOf(x.shape))));
});

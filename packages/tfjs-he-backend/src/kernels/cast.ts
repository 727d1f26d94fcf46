import { Cast } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { sameData } from './identity.js';
import { kernel } from './shared.js';

export const castConfig = kernel(Cast, (call) => {
  if (call.attrs.dtype !== 'float32') {
    throw new HeError('KERNEL_UNSUPPORTED', `an encrypted tensor cannot be cast to ${String(call.attrs.dtype)}`, {
      op: call.name,
      hint: 'Encrypted tensors are float32; cast before encryption or after decryption.',
    });
  }
  return sameData(call);
});

import { PadV2 } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { movement } from './movement.js';
import { kernel } from './shared.js';

const move = movement(['x']);

export const padV2Config = kernel(PadV2, (call) => {
  if (call.attrs.constantValue !== undefined && call.attrs.constantValue !== 0) {
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${call.name}' pads an encrypted tensor with a constant other than 0`, {
      op: call.name,
      hint: 'Pad with zeros and add the constant.',
    });
  }
  return move(call);
});

import { Neg } from '@tensorflow/tfjs-core';
import { broadcastMap, input, kernel } from './shared.js';

export const negConfig = kernel(Neg, (call) => {
  const x = input(call, 'x');
  return call.backend.wrap(call.backend.recorder.linear(x.shape, call.backend.nodeOf(x), broadcastMap(x.shape, x.shape, -1)));
});

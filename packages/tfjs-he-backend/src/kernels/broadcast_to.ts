import { BroadcastTo } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { broadcastMap, broadcastValues, input, type KernelCall, kernel } from './shared.js';

/** tfjs-core broadcasts by Tile and its CPU backend has no kernel of this name: plaintext is broadcast here too. */
export const broadcastToConfig = kernel(
  BroadcastTo,
  (call) => {
    const x = input(call, 'x');
    const shape = shapeOf(call);
    return call.backend.wrap(call.backend.recorder.linear(shape, call.backend.nodeOf(x), broadcastMap(x.shape, shape)));
  },
  (call) => {
    const x = input(call, 'x');
    const shape = shapeOf(call);
    return call.backend.plain.makeTensorInfo(shape, x.dtype, Float32Array.from(broadcastValues(call, x, shape)));
  },
);

function shapeOf({ name, attrs }: KernelCall): number[] {
  if (Array.isArray(attrs.shape)) return attrs.shape.map(Number);
  throw new HeError('GRAPH_INVALID', `kernel '${name}' lacks a shape`, { op: name, hint: 'Call tf.broadcastTo(x, shape).' });
}

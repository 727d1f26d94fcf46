import { AddN } from '@tensorflow/tfjs-core';
import { identity } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { kernel, tensorsOf } from './shared.js';

export const addNConfig = kernel(AddN, (call) => {
  const { backend } = call;
  const tensors = tensorsOf(call);
  const shape = tensors[0]?.shape ?? [];
  const size = sizeOf(shape);
  const bias = new Float64Array(size);
  const terms = [];
  for (const tensor of tensors) {
    if (backend.isEncrypted(tensor)) terms.push({ map: identity(size), source: backend.nodeOf(tensor) });
    else
      backend.plainValues(tensor).forEach((x, i) => {
        bias[i] = (bias[i] ?? 0) + x;
      });
  }
  return backend.wrap(backend.recorder.affine(shape, terms, bias));
});

import { Select } from '@tensorflow/tfjs-core';
import { identity, scaleRows } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { input, kernel, requirePlain } from './shared.js';

/** condition ? t : e with a plaintext condition, of the operands' shape or one per leading index. */
export const selectConfig = kernel(Select, (call) => {
  requirePlain(call, ['condition']);
  const { backend } = call;
  const condition = backend.plainValues(input(call, 'condition'));
  const { shape } = input(call, 't');
  const size = sizeOf(shape);
  const repeat = size / condition.length;
  const chosen = Float64Array.from({ length: size }, (_, i) => (condition[Math.floor(i / repeat)] === 0 ? 0 : 1));
  const terms = [];
  let bias: Float64Array | null = null;
  for (const [name, factors] of [
    ['t', chosen],
    ['e', chosen.map((x) => 1 - x)],
  ] as const) {
    const tensor = input(call, name);
    if (backend.isEncrypted(tensor)) terms.push({ map: scaleRows(identity(size), factors), source: backend.nodeOf(tensor) });
    else bias = backend.plainValues(tensor).map((x, i) => x * (factors[i] ?? 0));
  }
  return backend.wrap(backend.recorder.affine(shape, terms, bias));
});

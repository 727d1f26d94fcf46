import { FusedBatchNorm } from '@tensorflow/tfjs-core';
import { identity, scaleRows } from '../graph/linear_map.js';
import { type AffineTerm, sizeOf } from '../graph/node.js';
import { broadcastMap, broadcastValues, input, type KernelCall, kernel, requirePlain } from './shared.js';

const DEFAULT_EPSILON = 0.001;

/** (x - mean) / sqrt(variance + epsilon) * scale + offset with the variance in the clear: one level, two when the scale is encrypted too. */
export const fusedBatchNormConfig = kernel(FusedBatchNorm, (call) => {
  requirePlain(call, ['variance']);
  const { backend, attrs } = call;
  const epsilon = typeof attrs.varianceEpsilon === 'number' ? attrs.varianceEpsilon : DEFAULT_EPSILON;
  const { shape } = input(call, 'x');
  const scale = call.inputs.scale ?? null;
  const encryptedScale = scale !== null && backend.isEncrypted(scale) ? scale : null;
  const gain = scale === null || encryptedScale !== null ? null : broadcastValues(call, scale, shape);
  const factors = broadcastValues(call, input(call, 'variance'), shape).map(
    (variance, i) => (gain === null ? 1 : (gain[i] ?? 0)) / Math.sqrt(variance + epsilon),
  );
  let sum: Sum = { terms: [], bias: new Float64Array(sizeOf(shape)) };
  sum = plus(call, sum, 'x', shape, factors);
  sum = plus(
    call,
    sum,
    'mean',
    shape,
    factors.map((factor) => -factor),
  );
  if (encryptedScale !== null) {
    const map = broadcastMap(encryptedScale.shape, shape);
    const source = backend.nodeOf(encryptedScale);
    const term =
      sum.terms.length === 0
        ? { map: scaleRows(map, sum.bias), source }
        : {
            map: identity(sizeOf(shape)),
            source: backend.recorder.product(
              backend.recorder.affine(shape, sum.terms, sum.bias),
              backend.recorder.linear(shape, source, map),
            ),
          };
    sum = { terms: [term], bias: new Float64Array(sizeOf(shape)) };
  }
  sum = plus(call, sum, 'offset', shape, new Float64Array(sizeOf(shape)).fill(1));
  return backend.wrap(backend.recorder.affine(shape, sum.terms, sum.bias));
});

interface Sum {
  readonly terms: readonly AffineTerm[];
  readonly bias: Float64Array;
}

/** The sum plus factors * input, whether that is encrypted, plaintext or absent. */
function plus(call: KernelCall, { terms, bias }: Sum, name: string, shape: readonly number[], factors: Float64Array): Sum {
  const tensor = call.inputs[name];
  if (tensor === undefined || tensor === null) return { terms, bias };
  if (call.backend.isEncrypted(tensor)) {
    const map = scaleRows(broadcastMap(tensor.shape, shape), factors);
    return { terms: [...terms, { map, source: call.backend.nodeOf(tensor) }], bias };
  }
  const values = broadcastValues(call, tensor, shape);
  return { terms, bias: bias.map((b, i) => b + (factors[i] ?? 0) * (values[i] ?? 0)) };
}

import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';

/**
 * The kernel `UnsortedSegmentSum` for the WASM backend, which lacks it (tfjs 4.22): the gradient of `tf.gather`, hence of `Embedding` layers, which
 * therefore cannot be trained there otherwise.
 */
function unsortedSegmentSum(x: tf.TensorInfo, segmentIds: tf.TensorInfo, numSegments: number): tf.TensorInfo {
  const backend = tf.backend();
  const values = backend.readSync(x.dataId);
  const ids = backend.readSync(segmentIds.dataId);
  const inner = x.shape.slice(segmentIds.shape.length);
  const width = tf.util.sizeFromShape(inner);
  const sums = tf.util.getTypedArrayFromDType('float32', numSegments * width);
  for (let row = 0; row < ids.length; row++) {
    const segment = Number(ids[row]);
    // Rows of negative segments are left out, as by the kernels of the other backends.
    if (segment < 0) continue;
    for (let k = 0; k < width; k++) sums[segment * width + k] = (sums[segment * width + k] ?? 0) + Number(values[row * width + k]);
  }
  const shape = [numSegments, ...inner];
  return { dataId: backend.write(sums, shape, 'float32'), shape, dtype: 'float32' };
}

if (tf.getKernel('UnsortedSegmentSum', 'wasm') === undefined) {
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, segmentIds } = inputs;
      if (x === undefined || segmentIds === undefined) throw new InvalidArgumentError('UnsortedSegmentSum takes x and segmentIds.', {});
      return unsortedSegmentSum(x, segmentIds, Number(attrs?.numSegments));
    },
  });
}

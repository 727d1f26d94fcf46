import { AvgPool, backend_util, util } from '@tensorflow/tfjs-core';
import { buildMap } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { padding, pair, rank4, roundingMode } from './convolution.js';
import { sameData } from './identity.js';
import { input, kernel } from './shared.js';

/**
 * Mean over a window of [batch, height, width, channels]; elements of the padding do not count. A window of one element that leaves the shape as
 * it is does nothing, whatever the strides: tfjs has it so.
 */
export const avgPoolConfig = kernel(AvgPool, (call) => {
  const { backend, attrs } = call;
  const info = backend_util.computePool2DInfo(
    rank4(call, 'x'),
    pair(call, attrs.filterSize),
    pair(call, attrs.strides),
    1,
    padding(call, attrs.pad),
    roundingMode(call, attrs.dimRoundingMode),
  );
  const { outShape, outHeight, outWidth, inHeight, inWidth, inChannels, filterHeight, filterWidth, strideHeight, strideWidth, padInfo } =
    info;
  const x = input(call, 'x');
  if (filterHeight === 1 && filterWidth === 1 && util.arraysEqual(info.inShape, outShape)) return sameData(call);
  const map = buildMap(sizeOf(outShape), sizeOf(x.shape), (row, emit) => {
    const channel = row % inChannels;
    const pixel = Math.floor(row / inChannels);
    const b = Math.floor(pixel / (outHeight * outWidth));
    const [top, bottom] = inside((Math.floor(pixel / outWidth) % outHeight) * strideHeight - padInfo.top, filterHeight, inHeight);
    const [left, right] = inside((pixel % outWidth) * strideWidth - padInfo.left, filterWidth, inWidth);
    const factor = 1 / ((bottom - top) * (right - left));
    for (let r = top; r < bottom; r++) {
      for (let c = left; c < right; c++) emit(((b * inHeight + r) * inWidth + c) * inChannels + channel, factor);
    }
  });
  return backend.wrap(backend.recorder.linear(outShape, backend.nodeOf(x), map));
});

/** The part of a window that lies in [0, extent). */
function inside(start: number, length: number, extent: number): readonly [number, number] {
  return [Math.max(0, start), Math.min(start + length, extent)];
}

import { AvgPool, AvgPoolGrad, backend_util, util } from '@tensorflow/tfjs-core';
import { applyMap, buildMap, type LinearMap, transpose } from '../graph/linear_map.js';
import { sizeOf } from '../graph/node.js';
import { sameData } from './identity.js';
import { input, type KernelCall, kernel } from './shared.js';
import { type Conv2DInfo, padding, pair, rank4, roundingMode, type Shape4 } from './window.js';

/**
 * Mean over a window of [batch, height, width, channels]; elements of the padding do not count. A window of one element that leaves the shape as
 * it is does nothing, whatever the strides: tfjs has it so.
 */
export const avgPoolConfig = kernel(AvgPool, (call) => {
  const info = poolInfo(call, rank4(call, 'x'));
  if (info.filterHeight === 1 && info.filterWidth === 1 && util.arraysEqual(info.inShape, info.outShape)) return sameData(call);
  return call.backend.wrap(call.backend.recorder.linear(info.outShape, call.backend.nodeOf(input(call, 'x')), poolMap(info, false)));
});

/** The transposed map, except that tfjs divides by the whole window here, padding included. */
export const avgPoolGradConfig = kernel(AvgPoolGrad, (call) => {
  const { backend } = call;
  const info = poolInfo(call, rank4(call, 'input'));
  const dy = input(call, 'dy');
  // Only the shape of the pooled tensor counts: with dy in the clear so is the gradient.
  if (!backend.isEncrypted(dy)) {
    return backend.plain.makeTensorInfo(
      info.inShape,
      'float32',
      Float32Array.from(applyMap(transpose(poolMap(info, true)), backend.plainValues(dy))),
    );
  }
  return backend.wrap(backend.recorder.linear(info.inShape, backend.nodeOf(dy), transpose(poolMap(info, true))));
});

function poolInfo(call: KernelCall, shape: Shape4): Conv2DInfo {
  const { filterSize, strides, pad, dimRoundingMode } = call.attrs;
  return backend_util.computePool2DInfo(
    shape,
    pair(call, filterSize),
    pair(call, strides),
    1,
    padding(call, pad),
    roundingMode(call, dimRoundingMode),
  );
}

function poolMap(info: Conv2DInfo, paddingCounts: boolean): LinearMap {
  const { outShape, inShape, outHeight, outWidth, inHeight, inWidth, inChannels, filterHeight, filterWidth, padInfo } = info;
  return buildMap(sizeOf(outShape), sizeOf(inShape), (row, emit) => {
    const channel = row % inChannels;
    const pixel = Math.floor(row / inChannels);
    const b = Math.floor(pixel / (outHeight * outWidth));
    const [top, bottom] = inside((Math.floor(pixel / outWidth) % outHeight) * info.strideHeight - padInfo.top, filterHeight, inHeight);
    const [left, right] = inside((pixel % outWidth) * info.strideWidth - padInfo.left, filterWidth, inWidth);
    const factor = 1 / (paddingCounts ? filterHeight * filterWidth : (bottom - top) * (right - left));
    for (let r = top; r < bottom; r++) {
      for (let c = left; c < right; c++) emit(((b * inHeight + r) * inWidth + c) * inChannels + channel, factor);
    }
  });
}

/** The part of a window that lies in [0, extent). */
function inside(start: number, length: number, extent: number): readonly [number, number] {
  return [Math.max(0, start), Math.min(start + length, extent)];
}

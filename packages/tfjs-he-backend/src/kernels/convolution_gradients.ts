import {
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
} from '@tensorflow/tfjs-core';
import { recordContraction } from './contraction.js';
import { channelsInside, inFormat } from './convolution.js';
import { input, type KernelCall, kernel } from './shared.js';
import { type Conv2DInfo, convolutionInfo, outputElement, pixelOver, pixels, rank4, shape4, tapIndex } from './window.js';

/** Height and width of dy. */
function imageSize(call: KernelCall, { dataFormat }: Conv2DInfo): [number, number] {
  const [, a, b, c] = rank4(call, 'dy');
  return dataFormat === 'channelsLast' ? [a, b] : [b, c];
}

/** Convolution transposed in its input; also what a transposed convolution layer computes. */
export const conv2DBackpropInputConfig = kernel(Conv2DBackpropInput, (call) => {
  const info = convolutionInfo(call, shape4(call, call.attrs.inputShape), rank4(call, 'filter'), false);
  const { batchSize, inHeight, inWidth, inChannels, outChannels } = info;
  const over = pixelOver(info);
  const size = imageSize(call, info);
  const m = batchSize * inHeight * inWidth;
  const contraction = {
    dims: { batch: 1, m, k: info.filterHeight * info.filterWidth * outChannels, n: inChannels },
    indexA: (_: number, i: number, k: number) => {
      const pixel = over(i, Math.floor(k / outChannels));
      return pixel < 0 ? -1 : outputElement(info, pixel, k % outChannels, size);
    },
    indexB: (_: number, k: number, j: number) => (Math.floor(k / outChannels) * inChannels + j) * outChannels + (k % outChannels),
  };
  const node = recordContraction(call, input(call, 'dy'), input(call, 'filter'), contraction, [m, inChannels]);
  return call.backend.wrap(inFormat(call, node, info.dataFormat, inHeight * inWidth, info.inShape));
});

/** Convolution transposed in its filter. */
export const conv2DBackpropFilterConfig = kernel(Conv2DBackpropFilter, (call) => {
  const info = convolutionInfo(call, rank4(call, 'x'), shape4(call, call.attrs.filterShape), false);
  const { inChannels, outChannels } = info;
  const taps = tapIndex(info);
  const contraction = {
    dims: { batch: 1, m: info.filterHeight * info.filterWidth * inChannels, k: pixels(info), n: outChannels },
    indexA: (_: number, i: number, k: number) => taps(k, Math.floor(i / inChannels), i % inChannels),
    indexB: (_: number, k: number, j: number) => outputElement(info, k, j),
  };
  return call.backend.wrap(recordContraction(call, input(call, 'x'), input(call, 'dy'), contraction, info.filterShape));
});

/** Depthwise convolution transposed in its input. */
export const depthwiseConv2dNativeBackpropInputConfig = kernel(DepthwiseConv2dNativeBackpropInput, (call) => {
  const info = convolutionInfo(call, shape4(call, call.attrs.inputShape), rank4(call, 'filter'), true);
  const { batchSize, inHeight, inWidth, inChannels } = info;
  const multiplier = info.outChannels / inChannels;
  const over = pixelOver(info);
  const size = imageSize(call, info);
  const m = batchSize * inHeight * inWidth;
  const contraction = {
    dims: { batch: inChannels, m, k: info.filterHeight * info.filterWidth * multiplier, n: 1 },
    indexA: (h: number, i: number, k: number) => {
      const pixel = over(i, Math.floor(k / multiplier));
      return pixel < 0 ? -1 : outputElement(info, pixel, h * multiplier + (k % multiplier), size);
    },
    indexB: (h: number, k: number) => (Math.floor(k / multiplier) * inChannels + h) * multiplier + (k % multiplier),
  };
  const node = recordContraction(call, input(call, 'dy'), input(call, 'filter'), contraction, [inChannels, m, 1]);
  return call.backend.wrap(channelsInside(call, node, info.inShape));
});

/** Depthwise convolution transposed in its filter. */
export const depthwiseConv2dNativeBackpropFilterConfig = kernel(DepthwiseConv2dNativeBackpropFilter, (call) => {
  const info = convolutionInfo(call, rank4(call, 'x'), shape4(call, call.attrs.filterShape), true);
  const { inChannels } = info;
  const multiplier = info.outChannels / inChannels;
  const taps = tapIndex(info);
  const m = info.filterHeight * info.filterWidth;
  const contraction = {
    dims: { batch: inChannels, m, k: pixels(info), n: multiplier },
    indexA: (h: number, i: number, k: number) => taps(k, i, h),
    indexB: (h: number, k: number, j: number) => outputElement(info, k, h * multiplier + j),
  };
  const node = recordContraction(call, input(call, 'x'), input(call, 'dy'), contraction, [inChannels, m, multiplier]);
  return call.backend.wrap(channelsInside(call, node, info.filterShape));
});

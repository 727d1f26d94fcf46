import { selection } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { type Contraction, recordContraction } from './contraction.js';
import { input, type KernelCall } from './shared.js';
import { convolutionInfo, pixels, rank4, tapIndex } from './window.js';

/**
 * Node of a convolution of `x` with `filter` [height, width, in, out], strides, padding and dilations as tfjs has them, NHWC or NCHW; either
 * operand or both may be encrypted.
 */
export function recordConvolution(call: KernelCall): TensorNode {
  const info = convolutionInfo(call, rank4(call, 'x'), rank4(call, 'filter'), false);
  const { inChannels, outChannels, outShape } = info;
  const taps = tapIndex(info);
  const contraction: Contraction = {
    dims: { batch: 1, m: pixels(info), k: info.filterHeight * info.filterWidth * inChannels, n: outChannels },
    indexA: (_, i, k) => taps(i, Math.floor(k / inChannels), k % inChannels),
    indexB: (_, k, j) => k * outChannels + j,
  };
  const node = recordContraction(call, input(call, 'x'), input(call, 'filter'), contraction, [pixels(info), outChannels]);
  return inFormat(call, node, info.dataFormat, info.outHeight * info.outWidth, outShape);
}

/** From [pixels, channels] to the shape and data format of an image; `area` is that of one image. */
export function inFormat(call: KernelCall, node: TensorNode, format: string, area: number, shape: readonly number[]): TensorNode {
  const channels = sizeOf(node.shape) / (node.shape[0] ?? 1);
  const from = Int32Array.from({ length: sizeOf(shape) }, (_, e) => {
    if (format === 'channelsLast') return e;
    const [b, channel, place] = [Math.floor(e / (channels * area)), Math.floor(e / area) % channels, e % area];
    return (b * area + place) * channels + channel;
  });
  return call.backend.recorder.linear(shape, node, selection(from, from.length));
}

/** Node of a depthwise convolution, NHWC, filter [height, width, in, multiplier]: output channel = in * multiplier + k. */
export function recordDepthwiseConvolution(call: KernelCall): TensorNode {
  const info = convolutionInfo(call, rank4(call, 'x'), rank4(call, 'filter'), true);
  const { inChannels, outChannels, outShape } = info;
  const multiplier = outChannels / inChannels;
  const taps = tapIndex(info);
  const m = pixels(info);
  const contraction: Contraction = {
    dims: { batch: inChannels, m, k: info.filterHeight * info.filterWidth, n: multiplier },
    indexA: (h, i, k) => taps(i, k, h),
    indexB: (h, k, j) => (k * inChannels + h) * multiplier + j,
  };
  const byChannel = recordContraction(call, input(call, 'x'), input(call, 'filter'), contraction, [inChannels, m, multiplier]);
  return channelsInside(call, byChannel, outShape);
}

/** From [channels, places, multiplier] to [places, channels, multiplier]. */
export function channelsInside(call: KernelCall, node: TensorNode, shape: readonly number[]): TensorNode {
  const [channels = 1, places = 1, multiplier = 1] = node.shape;
  const from = Int32Array.from({ length: sizeOf(shape) }, (_, e) => {
    const [k, channel, place] = [e % multiplier, Math.floor(e / multiplier) % channels, Math.floor(e / (multiplier * channels))];
    return (channel * places + place) * multiplier + k;
  });
  return call.backend.recorder.linear(shape, node, selection(from, from.length));
}

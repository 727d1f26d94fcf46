import { backend_util } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { selection } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import { type Contraction, recordContraction } from './contraction.js';
import { input, type KernelCall } from './shared.js';

type Conv2DInfo = backend_util.Conv2DInfo;

/**
 * Node of a convolution of `x` with `filter` [height, width, in, out], strides, padding and dilations as tfjs has them, NHWC or NCHW; either
 * operand or both may be encrypted.
 */
export function recordConvolution(call: KernelCall): TensorNode {
  const info = convolutionInfo(call, false);
  const { inChannels, outChannels, outShape } = info;
  const taps = tapIndex(info);
  const contraction: Contraction = {
    dims: { batch: 1, m: pixels(info), k: info.filterHeight * info.filterWidth * inChannels, n: outChannels },
    indexA: (_, i, k) => taps(i, Math.floor(k / inChannels), k % inChannels),
    indexB: (_, k, j) => k * outChannels + j,
  };
  if (info.dataFormat === 'channelsLast') return recordContraction(call, input(call, 'x'), input(call, 'filter'), contraction, outShape);
  const last = recordContraction(call, input(call, 'x'), input(call, 'filter'), contraction, [pixels(info), outChannels]);
  const area = info.outHeight * info.outWidth;
  const toFirst = Int32Array.from({ length: sizeOf(outShape) }, (_, e) => {
    const [b, channel, place] = [Math.floor(e / (outChannels * area)), Math.floor(e / area) % outChannels, e % area];
    return (b * area + place) * outChannels + channel;
  });
  return call.backend.recorder.linear(outShape, last, selection(toFirst, toFirst.length));
}

/** Node of a depthwise convolution, NHWC, filter [height, width, in, multiplier]: output channel = in * multiplier + k. */
export function recordDepthwiseConvolution(call: KernelCall): TensorNode {
  const info = convolutionInfo(call, true);
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
  const channelsLast = Int32Array.from({ length: sizeOf(outShape) }, (_, e) => {
    const [pixel, channel] = [Math.floor(e / outChannels), e % outChannels];
    return (Math.floor(channel / multiplier) * m + pixel) * multiplier + (channel % multiplier);
  });
  return call.backend.recorder.linear(outShape, byChannel, selection(channelsLast, channelsLast.length));
}

function pixels({ batchSize, outHeight, outWidth }: Conv2DInfo): number {
  return batchSize * outHeight * outWidth;
}

/** Element of x under tap `tap` of the filter at output pixel `pixel` in `channel`; -1 in the padding. */
function tapIndex(info: Conv2DInfo): (pixel: number, tap: number, channel: number) => number {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } =
    info;
  const last = info.dataFormat === 'channelsLast';
  return (pixel, tap, channel) => {
    const b = Math.floor(pixel / (outHeight * outWidth));
    const row =
      (Math.floor(pixel / outWidth) % outHeight) * strideHeight + Math.floor(tap / filterWidth) * dilationHeight - info.padInfo.top;
    const col = (pixel % outWidth) * strideWidth + (tap % filterWidth) * dilationWidth - info.padInfo.left;
    if (row < 0 || row >= inHeight || col < 0 || col >= inWidth) return -1;
    return last
      ? ((b * inHeight + row) * inWidth + col) * inChannels + channel
      : ((b * inChannels + channel) * inHeight + row) * inWidth + col;
  };
}

/** tfjs ops have checked the attributes; kernels get them untyped. */
function convolutionInfo(call: KernelCall, depthwise: boolean): Conv2DInfo {
  const { attrs } = call;
  const nchw = attrs.dataFormat === 'NCHW' && !depthwise;
  return backend_util.computeConv2DInfo(
    rank4(call, 'x'),
    rank4(call, 'filter'),
    pair(call, attrs.strides),
    pair(call, attrs.dilations ?? 1),
    padding(call, attrs.pad),
    roundingMode(call, attrs.dimRoundingMode),
    depthwise,
    nchw ? 'channelsFirst' : 'channelsLast',
  );
}

export function rank4(call: KernelCall, name: string): [number, number, number, number] {
  const [a, b, c, d, ...rest] = input(call, name).shape;
  if (a === undefined || b === undefined || c === undefined || d === undefined || rest.length > 0) throw invalid(call, `rank of '${name}'`);
  return [a, b, c, d];
}

export function pair(call: KernelCall, value: unknown): number | [number, number] {
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) {
    const [height, width]: unknown[] = value;
    if (typeof height === 'number' && typeof width === 'number') return [height, width];
  }
  throw invalid(call, 'strides, dilations or filter size');
}

type Padding = Parameters<typeof backend_util.computePool2DInfo>[4];

/** 'same', 'valid', a number, or [before, after] for each of the four axes. */
export function padding(call: KernelCall, value: unknown): Padding {
  if (value === 'same' || value === 'valid' || typeof value === 'number') return value;
  if (Array.isArray(value)) {
    const [batch, height, width, channels] = value.map((ends): [number, number] => {
      if (Array.isArray(ends)) {
        const [before, after]: unknown[] = ends;
        if (typeof before === 'number' && typeof after === 'number') return [before, after];
      }
      throw invalid(call, 'padding');
    });
    if (batch !== undefined && height !== undefined && width !== undefined && channels !== undefined)
      return [batch, height, width, channels];
  }
  throw invalid(call, 'padding');
}

export function roundingMode(call: KernelCall, value: unknown): 'floor' | 'round' | 'ceil' | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === 'floor' || value === 'round' || value === 'ceil') return value;
  throw invalid(call, 'rounding mode');
}

function invalid(call: KernelCall, what: string): HeError {
  return new HeError('GRAPH_INVALID', `${what} of kernel '${call.name}' is not one of a 2-d window`, {
    op: call.name,
    hint: 'Call the op of tfjs-core with valid arguments.',
  });
}

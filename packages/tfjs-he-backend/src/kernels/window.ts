import { backend_util } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { input, type KernelCall } from './shared.js';

export type Conv2DInfo = backend_util.Conv2DInfo;

/** Output pixels of a window over all images. */
export function pixels({ batchSize, outHeight, outWidth }: Conv2DInfo): number {
  return batchSize * outHeight * outWidth;
}

/** Element of an image [batch, height, width, channels], or with the channels first. */
function element(
  info: Conv2DInfo,
  [height, width, channels]: readonly [number, number, number],
  b: number,
  row: number,
  col: number,
  channel: number,
): number {
  return info.dataFormat === 'channelsLast'
    ? ((b * height + row) * width + col) * channels + channel
    : ((b * channels + channel) * height + row) * width + col;
}

/**
 * Element of dy, the image of results, at output pixel `pixel` in `channel`.
 * @param size height and width of dy, which may be larger than the window's output: a transposed convolution reads its corner, as tfjs does
 */
export function outputElement(
  info: Conv2DInfo,
  pixel: number,
  channel: number,
  [height, width]: readonly [number, number] = [info.outHeight, info.outWidth],
): number {
  const { outHeight, outWidth, outChannels } = info;
  const b = Math.floor(pixel / (outHeight * outWidth));
  return element(info, [height, width, outChannels], b, Math.floor(pixel / outWidth) % outHeight, pixel % outWidth, channel);
}

/** Output pixel whose tap `tap` lies on input pixel `pixel`; -1 when there is none. */
export function pixelOver(info: Conv2DInfo): (pixel: number, tap: number) => number {
  const { inHeight, inWidth, outHeight, outWidth, filterWidth, padInfo } = info;
  return (pixel, tap) => {
    const b = Math.floor(pixel / (inHeight * inWidth));
    const row = (Math.floor(pixel / inWidth) % inHeight) + padInfo.top - Math.floor(tap / filterWidth) * info.dilationHeight;
    const col = (pixel % inWidth) + padInfo.left - (tap % filterWidth) * info.dilationWidth;
    if (row % info.strideHeight !== 0 || col % info.strideWidth !== 0) return -1;
    const [outRow, outCol] = [row / info.strideHeight, col / info.strideWidth];
    return outRow < 0 || outRow >= outHeight || outCol < 0 || outCol >= outWidth ? -1 : (b * outHeight + outRow) * outWidth + outCol;
  };
}

/** Element of x under tap `tap` of the filter at output pixel `pixel` in `channel`; -1 in the padding. */
export function tapIndex(info: Conv2DInfo): (pixel: number, tap: number, channel: number) => number {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } =
    info;
  return (pixel, tap, channel) => {
    const b = Math.floor(pixel / (outHeight * outWidth));
    const row =
      (Math.floor(pixel / outWidth) % outHeight) * strideHeight + Math.floor(tap / filterWidth) * dilationHeight - info.padInfo.top;
    const col = (pixel % outWidth) * strideWidth + (tap % filterWidth) * dilationWidth - info.padInfo.left;
    if (row < 0 || row >= inHeight || col < 0 || col >= inWidth) return -1;
    return element(info, [inHeight, inWidth, inChannels], b, row, col, channel);
  };
}

/** tfjs ops have checked the attributes; kernels get them untyped. */
export function convolutionInfo(call: KernelCall, xShape: Shape4, filterShape: Shape4, depthwise: boolean): Conv2DInfo {
  const { attrs } = call;
  const nchw = attrs.dataFormat === 'NCHW' && !depthwise;
  return backend_util.computeConv2DInfo(
    xShape,
    filterShape,
    pair(call, attrs.strides),
    pair(call, attrs.dilations ?? 1),
    padding(call, attrs.pad),
    roundingMode(call, attrs.dimRoundingMode),
    depthwise,
    nchw ? 'channelsFirst' : 'channelsLast',
  );
}

export type Shape4 = [number, number, number, number];

/** The shape of an input. */
export function rank4(call: KernelCall, name: string): Shape4 {
  return shape4(call, input(call, name).shape);
}

/** A shape among the attributes. */
export function shape4(call: KernelCall, value: unknown): Shape4 {
  if (Array.isArray(value) && value.length === 4) {
    const [a, b, c, d]: unknown[] = value;
    if (typeof a === 'number' && typeof b === 'number' && typeof c === 'number' && typeof d === 'number') return [a, b, c, d];
  }
  throw invalid(call, 'a shape');
}

/** Strides, dilations, a filter size: one number or two. */
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

/** How tfjs rounds the extents of a result. @throws HeError GRAPH_INVALID. */
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

import * as tf from '@tensorflow/tfjs-core';
import { polynomial, reciprocal, rsqrt } from '../../src/index.js';

export type Body = (x: tf.Tensor, y: tf.Tensor) => tf.Tensor | tf.Tensor[];

/** An op whose kernel is compared with the CPU backend's, on random inputs of these shapes. */
export interface Case {
  readonly kernel: string;
  readonly x: number[];
  readonly y?: number[];
  readonly body: Body;
  /** Which operands may be encrypted; default: x alone. */
  readonly operands?: readonly ('x' | 'y' | 'xy')[];
}

const all = ['x', 'y', 'xy'] as const;

export const CASES: readonly Case[] = [
  { kernel: 'Add', x: [2, 3], y: [3], body: (x, y) => tf.add(x, y), operands: all },
  { kernel: 'AddN', x: [2, 3], y: [2, 3], body: (x, y) => tf.addN([x, y, x]), operands: all },
  { kernel: 'Sub', x: [1, 3], y: [4, 1], body: (x, y) => tf.sub(x, y), operands: all },
  { kernel: 'Multiply', x: [4, 1, 3], y: [2, 1], body: (x, y) => tf.mul(x, y), operands: all },
  { kernel: 'RealDiv', x: [2, 3], y: [3], body: (x, y) => tf.div(x, tf.add(y, 3)) },
  { kernel: 'Square', x: [5], body: (x) => tf.square(x) },
  { kernel: 'SquaredDifference', x: [2, 3], y: [3], body: (x, y) => tf.squaredDifference(x, y), operands: all },
  { kernel: 'Neg', x: [2, 3], body: (x) => tf.neg(x) },
  { kernel: 'Cast', x: [2, 3], body: (x) => tf.cast(x, 'float32') },
  { kernel: 'Sum', x: [2, 3, 4], body: (x) => tf.sum(x, [0, 2], true) },
  { kernel: 'Sum', x: [2, 3], body: (x) => tf.sum(x) },
  { kernel: 'Mean', x: [2, 3, 4], body: (x) => tf.mean(x, -1) },
  {
    kernel: '_FusedMatMul',
    x: [3, 4],
    y: [4, 2],
    body: (a, b) => tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias: tf.tensor1d([1, 2]) }),
    operands: all,
  },
  { kernel: 'BatchMatMul', x: [2, 3, 4], y: [2, 4, 5], body: (x, y) => tf.matMul(x, y), operands: all },
  { kernel: 'BatchMatMul', x: [2, 4, 3], y: [2, 5, 4], body: (x, y) => tf.matMul(x, y, true, true), operands: all },
  { kernel: 'BatchMatMul', x: [2, 3, 4], y: [4, 5], body: (x, y) => tf.matMul(x, tf.expandDims(y, 0)), operands: all },
  { kernel: 'Reshape', x: [2, 6], body: (x) => tf.reshape(x, [3, 4]) },
  { kernel: 'ExpandDims', x: [2, 6], body: (x) => tf.expandDims(x, 1) },
  { kernel: 'Transpose', x: [2, 3, 4], body: (x) => tf.transpose(x, [2, 0, 1]) },
  { kernel: 'Slice', x: [4, 5], body: (x) => tf.slice(x, [1, 2], [2, 3]) },
  { kernel: 'StridedSlice', x: [6, 5], body: (x) => tf.stridedSlice(x, [0, 4], [6, 0], [2, -2]) },
  { kernel: 'Tile', x: [2, 3], body: (x) => tf.tile(x, [2, 2]) },
  { kernel: 'Reverse', x: [2, 3], body: (x) => tf.reverse(x, 1) },
  { kernel: 'GatherV2', x: [4, 3], body: (x) => tf.gather(x, tf.tensor1d([3, 0, 3], 'int32')) },
  {
    kernel: 'PadV2',
    x: [2, 3],
    body: (x) =>
      tf.pad(x, [
        [1, 0],
        [0, 2],
      ]),
  },
  { kernel: 'Concat', x: [2, 3], y: [2, 2], body: (x, y) => tf.concat([x, y, x], 1), operands: all },
  { kernel: 'Pack', x: [2, 3], y: [2, 3], body: (x, y) => tf.stack([x, y]), operands: all },
  { kernel: 'Unpack', x: [2, 3], body: (x) => tf.unstack(x) },
  { kernel: 'SplitV', x: [2, 5], body: (x) => tf.split(x, [2, 3], 1) },
  {
    kernel: 'GatherNd',
    x: [3, 4],
    body: (x) =>
      tf.gatherND(
        x,
        tf.tensor2d(
          [
            [2, 1],
            [0, 3],
          ],
          [2, 2],
          'int32',
        ),
      ),
  },
  {
    kernel: 'Select',
    x: [2, 3],
    y: [2, 3],
    body: (x, y) => tf.where(tf.tensor2d([1, 0, 1, 0, 0, 1], [2, 3], 'bool'), x, y),
    operands: all,
  },
  { kernel: 'Cumsum', x: [3, 4], body: (x) => tf.cumsum(x, 0) },
  { kernel: 'Cumprod', x: [5, 2], body: (x) => tf.cumprod(x, 0) },
  { kernel: 'Cumprod', x: [2, 6], body: (x) => tf.cumprod(x, 1, true, true) },
  { kernel: 'Cumsum', x: [3, 4], body: (x) => tf.cumsum(x, 1, true, true) },
  { kernel: 'Pow', x: [2, 3], body: (x) => tf.pow(x, tf.scalar(7, 'int32')) },
  { kernel: 'Pow', x: [2, 1], body: (x) => tf.pow(x, tf.tensor1d([0, 1, 5, 1], 'int32')) },
  { kernel: 'BatchMatMul', x: [2, 1, 4], y: [2, 4, 3], body: (x, y) => tf.matMul(x, y), operands: all },
  { kernel: 'BatchMatMul', x: [2, 3, 4], y: [2, 1, 4], body: (x, y) => tf.matMul(x, y, false, true), operands: all },
  { kernel: 'BatchMatMul', x: [3, 1], y: [1, 4], body: (x, y) => tf.matMul(x, y), operands: all },
  { kernel: 'AvgPool', x: [1, 2, 2, 3], body: (x) => tf.avgPool(x as tf.Tensor4D, 1, 2, 1) },
  ...['ij->ji', 'ij->i', 'ij->'].map((equation): Case => ({ kernel: 'Einsum', x: [3, 4], body: (x) => tf.einsum(equation, x) })),
  ...['ij,jk->ik', 'ij,jk->ki', 'ij,jk->ijk'].map(
    (equation): Case => ({ kernel: 'Einsum', x: [3, 4], y: [4, 2], body: (x, y) => tf.einsum(equation, x, y), operands: all }),
  ),
  { kernel: 'Einsum', x: [2, 3, 4], y: [4, 2, 5], body: (x, y) => tf.einsum('bij,jbk->bki', x, y), operands: all },
  { kernel: 'Prod', x: [2, 3, 4], body: (x) => tf.prod(x, [1]) },
  { kernel: 'Prod', x: [2, 3], body: (x) => tf.prod(x, undefined, true) },
  {
    kernel: 'BatchToSpaceND',
    x: [4, 1, 2, 1],
    body: (x) =>
      tf.batchToSpaceND(
        x,
        [2, 2],
        [
          [0, 0],
          [1, 0],
        ],
      ),
  },
  {
    kernel: 'SpaceToBatchND',
    x: [1, 2, 3, 1],
    body: (x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [0, 0],
          [1, 0],
        ],
      ),
  },
  { kernel: 'DepthToSpace', x: [1, 2, 2, 4], body: (x) => tf.depthToSpace(x as tf.Tensor4D, 2) },
  {
    kernel: 'MirrorPad',
    x: [3, 3],
    body: (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [0, 1],
        ],
        'reflect',
      ),
  },
  { kernel: 'ResizeNearestNeighbor', x: [2, 3, 1], body: (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor3D, [4, 5]) },
  {
    kernel: 'PadV2',
    x: [2, 2],
    body: (x) =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        1.5,
      ),
  },
  { kernel: 'ZerosLike', x: [2, 2], body: (x) => tf.add(tf.zerosLike(x), x) },
  { kernel: 'OnesLike', x: [2, 2], body: (x) => tf.mul(tf.onesLike(x), x) },
  ...[
    { strides: 1, pad: 'same' },
    { strides: [2, 1], pad: 'valid' },
    { strides: 1, pad: 'valid', dilations: 2 },
    { strides: 2, pad: 1, format: 'NCHW' },
    {
      strides: 1,
      pad: [
        [0, 0],
        [1, 0],
        [0, 2],
        [0, 0],
      ],
    },
  ].map(
    ({ strides, pad, dilations = 1, format = 'NHWC' }): Case => ({
      kernel: 'Conv2D',
      x: format === 'NHWC' ? [2, 5, 6, 3] : [2, 3, 5, 6],
      y: [2, 3, 3, 4],
      body: (x, y) => tf.conv2d(x as tf.Tensor4D, y as tf.Tensor4D, strides as number, pad as 'same', format as 'NHWC', dilations),
      operands: all,
    }),
  ),
  {
    kernel: 'FusedConv2D',
    x: [1, 4, 4, 2],
    y: [2, 2, 2, 3],
    body: (x, filter) =>
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 2,
        pad: 'same',
        bias: tf.tensor1d([1, 2, 3]),
        activation: 'linear',
      }),
    operands: all,
  },
  {
    kernel: 'FusedConv2D',
    x: [1, 2, 4, 4],
    y: [3],
    body: (x, bias) =>
      tf.fused.conv2d({ x: x as tf.Tensor4D, filter: tf.ones<tf.Rank.R4>([2, 2, 2, 3]), strides: 1, pad: 1, dataFormat: 'NCHW', bias }),
    operands: all,
  },
  {
    kernel: 'DepthwiseConv2dNative',
    x: [2, 5, 4, 3],
    y: [2, 3, 3, 2],
    body: (x, y) => tf.depthwiseConv2d(x as tf.Tensor4D, y as tf.Tensor4D, [2, 1], 'same'),
    operands: all,
  },
  {
    kernel: 'FusedDepthwiseConv2D',
    x: [1, 4, 4, 2],
    y: [2, 2, 2, 1],
    body: (x, y) =>
      tf.fused.depthwiseConv2d({ x: x as tf.Tensor4D, filter: y as tf.Tensor4D, strides: 1, pad: 'valid', bias: tf.tensor1d([1, 2]) }),
    operands: all,
  },
  { kernel: 'AvgPool', x: [2, 5, 5, 3], body: (x) => tf.avgPool(x as tf.Tensor4D, [3, 2], 2, 'same') },
  { kernel: 'AvgPool', x: [1, 4, 4, 1], body: (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid') },
  {
    kernel: 'FusedBatchNorm',
    x: [2, 2, 3],
    y: [3],
    body: (x, y) =>
      tf.batchNorm(x as tf.Tensor3D, tf.tensor1d([1, 2, 3]), tf.tensor1d([1, 2, 3]), y as tf.Tensor1D, tf.tensor1d([4, 5, 6])),
    operands: all,
  },
  {
    kernel: 'FusedBatchNorm',
    x: [2, 3],
    y: [3],
    body: (x, y) => tf.batchNorm(x as tf.Tensor2D, y as tf.Tensor1D, tf.tensor1d([1, 2, 3]), y as tf.Tensor1D, undefined, 0.1),
    operands: all,
  },
  ...(['NHWC', 'NCHW'] as const).map(
    (format): Case => ({
      kernel: 'Conv2DBackpropInput',
      x: format === 'NHWC' ? [2, 3, 2, 4] : [2, 4, 3, 2],
      y: [2, 3, 3, 4],
      body: (dy, filter) => {
        const inputShape = format === 'NHWC' ? [2, 5, 4, 3] : [2, 3, 5, 4];
        return tf
          .engine()
          .runKernel('Conv2DBackpropInput', { dy, filter }, { strides: 2, pad: 'same', dataFormat: format, inputShape }) as tf.Tensor;
      },
      operands: all,
    }),
  ),
  {
    kernel: 'Conv2DBackpropFilter',
    x: [2, 5, 4, 3],
    y: [2, 3, 2, 4],
    body: (x, dy) =>
      tf
        .engine()
        .runKernel(
          'Conv2DBackpropFilter',
          { x, dy },
          { strides: 2, pad: 'same', dataFormat: 'NHWC', filterShape: [2, 3, 3, 4] },
        ) as tf.Tensor,
    operands: all,
  },
  {
    kernel: 'DepthwiseConv2dNativeBackpropInput',
    x: [2, 3, 2, 6],
    y: [2, 3, 3, 2],
    body: (dy, filter) =>
      tf
        .engine()
        .runKernel(
          'DepthwiseConv2dNativeBackpropInput',
          { dy, filter },
          { strides: 2, dilations: 1, pad: 'same', inputShape: [2, 5, 4, 3] },
        ) as tf.Tensor,
    operands: all,
  },
  {
    kernel: 'DepthwiseConv2dNativeBackpropFilter',
    x: [2, 5, 4, 3],
    y: [2, 3, 2, 6],
    body: (x, dy) =>
      tf
        .engine()
        .runKernel(
          'DepthwiseConv2dNativeBackpropFilter',
          { x, dy },
          { strides: 2, dilations: 1, pad: 'same', filterShape: [2, 3, 3, 2] },
        ) as tf.Tensor,
    operands: all,
  },
  {
    kernel: 'AvgPoolGrad',
    x: [1, 2, 3, 2],
    y: [1, 4, 5, 2],
    body: (dy, input) => tf.engine().runKernel('AvgPoolGrad', { dy, input }, { filterSize: 3, strides: 2, pad: 'same' }) as tf.Tensor,
    operands: ['x', 'xy'],
  },
  {
    kernel: 'UnsortedSegmentSum',
    x: [4, 2],
    body: (x) => tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2, 5], 'int32'), 3),
  },
  {
    kernel: 'ScatterNd',
    x: [3, 2],
    body: (x) => tf.scatterND(tf.tensor2d([[1], [0], [1]], [3, 1], 'int32'), x, [3, 2]),
  },
  { kernel: 'AvgPool3D', x: [3, 4, 3, 2], body: (x) => tf.avgPool3d(x as tf.Tensor4D, 2, 2, 'same') },
  {
    kernel: 'AvgPool3DGrad',
    x: [1, 2, 2, 2, 1],
    y: [1, 3, 4, 3, 1],
    body: (dy, input) => tf.engine().runKernel('AvgPool3DGrad', { dy, input }, { filterSize: 2, strides: 2, pad: 'same' }) as tf.Tensor,
    operands: ['x', 'xy'],
  },
  { kernel: 'Bincount', x: [4], body: (x) => tf.bincount(tf.tensor1d([0, 2, 2, 1], 'int32'), x as tf.Tensor1D, 3) },
  { kernel: 'DenseBincount', x: [2, 2], body: (x) => tf.denseBincount(tf.tensor2d([0, 2, 2, 1], [2, 2], 'int32'), x as tf.Tensor2D, 3) },
  {
    kernel: 'Conv3D',
    x: [2, 3, 3, 2],
    y: [2, 2, 2, 2, 2],
    body: (x, y) => tf.conv3d(x as tf.Tensor4D, y as tf.Tensor5D, 1, 'same'),
    operands: ['x', 'y'],
  },
  {
    kernel: 'Conv3DBackpropInputV2',
    x: [1, 2, 2, 2, 1],
    y: [2, 2, 2, 2, 1],
    body: (dy, filter) =>
      tf
        .engine()
        .runKernel('Conv3DBackpropInputV2', { dy, filter }, { strides: 1, pad: 'valid', inputShape: [1, 3, 3, 3, 2] }) as tf.Tensor,
    operands: ['x', 'y'],
  },
  {
    kernel: 'Conv3DBackpropFilterV2',
    x: [1, 3, 3, 3, 2],
    y: [1, 2, 2, 2, 1],
    body: (x, dy) =>
      tf.engine().runKernel('Conv3DBackpropFilterV2', { x, dy }, { strides: 1, pad: 'valid', filterShape: [2, 2, 2, 2, 1] }) as tf.Tensor,
    operands: ['x', 'y'],
  },
  {
    kernel: 'CropAndResize',
    x: [1, 4, 4, 2],
    body: (x) =>
      tf.image.cropAndResize(x as tf.Tensor4D, tf.tensor2d([[0.1, 0, 1.3, 0.7]]), tf.tensor1d([0], 'int32'), [3, 2], 'bilinear', 0.5),
  },
  { kernel: 'Diag', x: [3], body: (x) => tf.diag(x) },
  { kernel: 'FlipLeftRight', x: [1, 2, 3, 1], body: (x) => tf.image.flipLeftRight(x as tf.Tensor4D) },
  { kernel: 'ResizeBilinear', x: [3, 2, 2], body: (x) => tf.image.resizeBilinear(x as tf.Tensor3D, [5, 3]) },
  ...['ResizeBilinearGrad', 'ResizeNearestNeighborGrad'].map(
    (name): Case => ({
      kernel: name,
      x: [1, 4, 4, 1],
      y: [1, 2, 3, 1],
      body: (dy, images) => tf.engine().runKernel(name, { dy, images }, { alignCorners: false }) as tf.Tensor,
      operands: ['x', 'xy'],
    }),
  ),
  { kernel: 'RotateWithOffset', x: [1, 3, 3, 1], body: (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, 0.7, 0.5) },
  {
    kernel: 'Transform',
    x: [1, 3, 3, 1],
    body: (x) => tf.image.transform(x as tf.Tensor4D, tf.tensor2d([[1, 0.2, 0.5, 0, 1, -0.5, 0, 0]]), 'bilinear', 'constant', 0.25),
  },
  {
    kernel: 'SparseSegmentSum',
    x: [3, 2],
    body: (x) => tf.sparse.sparseSegmentSum(x, tf.tensor1d([0, 2, 1], 'int32'), tf.tensor1d([0, 0, 1], 'int32')),
  },
  {
    kernel: 'SparseSegmentMean',
    x: [3, 2],
    body: (x) => tf.sparse.sparseSegmentMean(x, tf.tensor1d([0, 2, 1], 'int32'), tf.tensor1d([0, 0, 1], 'int32')),
  },
  {
    kernel: 'SparseToDense',
    x: [2],
    y: [],
    body: (x, y) => tf.sparseToDense(tf.tensor1d([0, 3], 'int32'), x as tf.Tensor1D, [5], y as tf.Scalar),
    operands: all,
  },
  {
    kernel: 'TensorScatterUpdate',
    x: [4, 2],
    y: [2, 2],
    body: (x, y) => tf.tensorScatterUpdate(x, tf.tensor2d([[3], [1]], [2, 1], 'int32'), y),
    operands: all,
  },
  { kernel: 'Identity', x: [2, 2], body: (x) => tf.clone(x) },
  {
    kernel: 'Conv2DBackpropInput', // of more pixels than it has use for
    x: [2, 4, 4, 2],
    y: [3, 3, 2, 2],
    body: (x, y) => tf.conv2dTranspose(x as tf.Tensor4D, y as tf.Tensor4D, [2, 2, 2, 2], 1, 'same'),
    operands: all,
  },
  { kernel: 'HePolynomial', x: [2, 3], body: (x) => polynomial(x, [0.1, 0.2, -0.3, 0.4]) },
  { kernel: 'HePolynomial', x: [2, 3], body: (x) => polynomial(x, [0.1, 0.2, -0.3], { basis: 'chebyshev', interval: [-2, 1] }) },
  { kernel: 'HePolynomial', x: [2, 3], body: (x) => tf.add(x, polynomial(x, [0.5])) },
  { kernel: 'HeReciprocal', x: [2, 3], body: (x) => reciprocal(tf.add(x, 2), { interval: [1, 3] }) },
  { kernel: 'HeRsqrt', x: [2, 3], body: (x) => rsqrt(tf.add(x, 2), { interval: [1, 3] }) },
];

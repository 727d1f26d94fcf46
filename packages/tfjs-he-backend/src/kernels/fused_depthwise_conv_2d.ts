import { FusedDepthwiseConv2D } from '@tensorflow/tfjs-core';
import { recordDepthwiseConvolution } from './convolution.js';
import { fusedWithBias } from './fused.js';
import { kernel } from './shared.js';

export const fusedDepthwiseConv2DConfig = kernel(FusedDepthwiseConv2D, fusedWithBias(['x', 'filter'], recordDepthwiseConvolution));

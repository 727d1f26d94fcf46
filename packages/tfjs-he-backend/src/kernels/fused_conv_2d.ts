import { FusedConv2D } from '@tensorflow/tfjs-core';
import { recordConvolution } from './convolution.js';
import { fusedWithBias } from './fused.js';
import { kernel } from './shared.js';

export const fusedConv2DConfig = kernel(FusedConv2D, fusedWithBias(['x', 'filter'], recordConvolution));

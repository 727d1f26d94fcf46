import { DepthwiseConv2dNative } from '@tensorflow/tfjs-core';
import { recordDepthwiseConvolution } from './convolution.js';
import { kernel } from './shared.js';

export const depthwiseConv2dNativeConfig = kernel(DepthwiseConv2dNative, (call) => call.backend.wrap(recordDepthwiseConvolution(call)));

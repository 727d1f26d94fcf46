import { Conv2D } from '@tensorflow/tfjs-core';
import { recordConvolution } from './convolution.js';
import { kernel } from './shared.js';

export const conv2DConfig = kernel(Conv2D, (call) => call.backend.wrap(recordConvolution(call)));

import { BatchToSpaceND } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const batchToSpaceNDConfig = kernel(BatchToSpaceND, movement(['x']));

import { GatherV2 } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const gatherV2Config = kernel(GatherV2, movement(['x']));

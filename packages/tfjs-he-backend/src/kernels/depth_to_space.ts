import { DepthToSpace } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const depthToSpaceConfig = kernel(DepthToSpace, movement(['x']));

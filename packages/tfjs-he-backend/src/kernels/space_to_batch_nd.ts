import { SpaceToBatchND } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const spaceToBatchNDConfig = kernel(SpaceToBatchND, movement(['x']));

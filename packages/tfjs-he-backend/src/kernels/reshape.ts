import { Reshape } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const reshapeConfig = kernel(Reshape, movement(['x']));

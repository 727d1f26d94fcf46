import { ResizeNearestNeighbor } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const resizeNearestNeighborConfig = kernel(ResizeNearestNeighbor, movement(['images']));

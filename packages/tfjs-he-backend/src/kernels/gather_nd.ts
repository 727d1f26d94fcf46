import { GatherNd } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const gatherNdConfig = kernel(GatherNd, movement(['params']));

import { Concat } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const concatConfig = kernel(Concat, movement(null));

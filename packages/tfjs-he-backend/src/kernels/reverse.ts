import { Reverse } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const reverseConfig = kernel(Reverse, movement(['x']));

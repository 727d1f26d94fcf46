import { Pack } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const packConfig = kernel(Pack, movement(null));

import { Slice } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const sliceConfig = kernel(Slice, movement(['x']));

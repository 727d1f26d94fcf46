import { Transpose } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const transposeConfig = kernel(Transpose, movement(['x']));

import { Unpack } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const unpackConfig = kernel(Unpack, movement(['value']));

import { SplitV } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const splitVConfig = kernel(SplitV, movement(['x']));

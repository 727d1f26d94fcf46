import { ExpandDims } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const expandDimsConfig = kernel(ExpandDims, movement(['input']));

import { StridedSlice } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const stridedSliceConfig = kernel(StridedSlice, movement(['x']));

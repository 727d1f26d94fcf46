import { Sum } from '@tensorflow/tfjs-core';
import { reduction } from './reduce.js';
import { kernel } from './shared.js';

export const sumConfig = kernel(Sum, reduction(false));

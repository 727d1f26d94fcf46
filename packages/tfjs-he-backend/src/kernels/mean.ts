import { Mean } from '@tensorflow/tfjs-core';
import { reduction } from './reduce.js';
import { kernel } from './shared.js';

export const meanConfig = kernel(Mean, reduction(true));

import { Sub } from '@tensorflow/tfjs-core';
import { addition } from './binary.js';
import { kernel } from './shared.js';

export const subConfig = kernel(Sub, addition(-1));

import { Multiply } from '@tensorflow/tfjs-core';
import { multiplication } from './binary.js';
import { kernel } from './shared.js';

export const multiplyConfig = kernel(Multiply, multiplication);

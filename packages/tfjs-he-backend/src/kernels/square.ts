import { Square } from '@tensorflow/tfjs-core';
import { multiply } from './binary.js';
import { input, kernel } from './shared.js';

export const squareConfig = kernel(Square, (call) => multiply(call, input(call, 'x'), input(call, 'x')));

import { Add } from '@tensorflow/tfjs-core';
import { addition } from './binary.js';
import { kernel } from './shared.js';

export const addConfig = kernel(Add, addition(1));

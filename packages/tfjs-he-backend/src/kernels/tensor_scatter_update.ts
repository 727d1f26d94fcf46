import { TensorScatterUpdate } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const tensorScatterUpdateConfig = kernel(TensorScatterUpdate, movement(['tensor', 'updates']));

import { Identity } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const identityConfig = kernel(Identity, movement(['x']));

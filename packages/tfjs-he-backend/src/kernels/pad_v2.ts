import { PadV2 } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

/** Padding with a plaintext constant; the elements that are moved in from nowhere take it. */
export const padV2Config = kernel(PadV2, movement(['x'], 'constantValue'));

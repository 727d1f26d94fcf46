import { MirrorPad } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const mirrorPadConfig = kernel(MirrorPad, movement(['x']));

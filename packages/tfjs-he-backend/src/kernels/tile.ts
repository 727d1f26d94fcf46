import { Tile } from '@tensorflow/tfjs-core';
import { movement } from './movement.js';
import { kernel } from './shared.js';

export const tileConfig = kernel(Tile, movement(['x']));

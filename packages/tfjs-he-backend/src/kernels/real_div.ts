import { RealDiv } from '@tensorflow/tfjs-core';
import { division } from './binary.js';
import { kernel } from './shared.js';

export const realDivConfig = kernel(RealDiv, division);

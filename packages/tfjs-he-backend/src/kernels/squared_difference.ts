import { SquaredDifference } from '@tensorflow/tfjs-core';
import { addition, multiply } from './binary.js';
import { kernel } from './shared.js';

const difference = addition(-1);

export const squaredDifferenceConfig = kernel(SquaredDifference, (call) => {
  const result = difference(call);
  const [x] = Array.isArray(result) ? result : [result];
  if (x === undefined) return [];
  const squared = multiply(call, x, x);
  call.backend.disposeData(x.dataId);
  return squared;
});

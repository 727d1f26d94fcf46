import { Identity, type TensorInfo } from '@tensorflow/tfjs-core';
import { input, type KernelCall, kernel } from './shared.js';

/** Another reference to the same data, as other backends do: the engine counts data to find leaks. */
export function sameData(call: KernelCall): TensorInfo {
  const { dataId, shape, dtype } = input(call, 'x');
  call.backend.incRef(dataId);
  return { dataId, shape, dtype };
}

export const identityConfig = kernel(Identity, sameData);

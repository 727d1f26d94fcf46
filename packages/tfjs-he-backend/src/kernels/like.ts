import { OnesLike, ZerosLike } from '@tensorflow/tfjs-core';
import { sizeOf } from '../graph/node.js';
import { type EncryptedKernel, input, kernel } from './shared.js';

/** A plaintext constant of the shape of an encrypted tensor. */
function like(value: number): EncryptedKernel {
  return (call) => {
    const { shape } = input(call, 'x');
    return call.backend.plain.makeTensorInfo(shape, 'float32', new Float32Array(sizeOf(shape)).fill(value));
  };
}

export const zerosLikeConfig = kernel(ZerosLike, like(0));
export const onesLikeConfig = kernel(OnesLike, like(1));

import { engine, getBackend, type NamedAttrMap, type Tensor } from '@tensorflow/tfjs-core';
import { ensureKernel, HE_POLYNOMIAL, type PolynomialTerms } from './kernels.js';

/** Runs a kernel of this package on the active backend, whichever that is. */
export function runOn(x: Tensor, kernelName: string, attrs: NamedAttrMap): Tensor {
  ensureKernel(kernelName, getBackend());
  return engine().runKernel<Tensor>(kernelName, { x }, attrs);
}

/** The kernel `HePolynomial` on a tensor. @throws HeError PARAMETERS_INVALID. */
export function runPolynomial(x: Tensor, { coefficients, basis, interval }: PolynomialTerms): Tensor {
  return runOn(x, HE_POLYNOMIAL, { coefficients: [...coefficients], basis, interval: [...interval] });
}

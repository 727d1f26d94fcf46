import { hasSimd } from '../simd/kernels.js';

/** The evaluator of ciphertexts that a server gets if none is asked for: `simd`, or `seal` where the runtime has no WebAssembly SIMD. */
export function defaultServerEngine(): 'simd' | 'seal' {
  return hasSimd() ? 'simd' : 'seal';
}

import { _FusedMatMul } from '@tensorflow/tfjs-core';
import { recordMatMul } from './batch_mat_mul.js';
import { fusedWithBias } from './fused.js';
import { input, kernel } from './shared.js';

export const fusedMatMulConfig = kernel(
  _FusedMatMul,
  fusedWithBias(['a', 'b'], (call) =>
    recordMatMul(call, {
      a: input(call, 'a'),
      b: input(call, 'b'),
      transposeA: call.attrs.transposeA === true,
      transposeB: call.attrs.transposeB === true,
    }),
  ),
);

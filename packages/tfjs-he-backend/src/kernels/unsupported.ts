import { HeError } from '../errors.js';
import type { EncryptedKernel } from './shared.js';

const POLYNOMIAL = 'Replace it by a polynomial over its calibrated interval (toPolynomial of tfjs-power-softmax).';
const COMPARISON = 'Comparisons have no polynomial form: compute them at the client after decryption.';

/** What to use instead, by tfjs kernel name. */
const REPLACEMENTS: Readonly<Record<string, string>> = {
  Softmax: 'Use PowerSoftmax (tfjs-power-softmax) and convert the model with toPolynomial.',
  LogSoftmax: 'Use PowerSoftmax (tfjs-power-softmax), and take logarithms at the client.',
  Exp: 'Use PowerSoftmax instead of softmax; elsewhere a polynomial over a calibrated interval.',
  Max: `${COMPARISON} For pooling use an average.`,
  MaxPool: 'Use average pooling.',
  ArgMax: 'Decrypt the scores and take the maximum at the client.',
  TopK: 'Decrypt the scores and sort at the client.',
  Relu: `Train with GELU or a quadratic activation. ${POLYNOMIAL}`,
  Relu6: `Train with GELU or a quadratic activation. ${POLYNOMIAL}`,
  Sqrt: POLYNOMIAL,
  Rsqrt: POLYNOMIAL,
  Reciprocal: POLYNOMIAL,
  Erf: POLYNOMIAL,
  Sigmoid: POLYNOMIAL,
  Tanh: POLYNOMIAL,
};

const COMPARISONS = new Set([
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'Equal',
  'NotEqual',
  'Sign',
  'Step',
  'Minimum',
  'Maximum',
  'Min',
  'ArgMin',
]);

/** The kernel of an operation that encrypted tensors do not have. @throws HeError KERNEL_UNSUPPORTED, always. */
export function unsupported(kernelName: string): EncryptedKernel {
  return () => {
    const hint =
      REPLACEMENTS[kernelName] ?? (COMPARISONS.has(kernelName) ? COMPARISON : `Use linear operations, products and squares. ${POLYNOMIAL}`);
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${kernelName}' is not available on encrypted tensors`, { op: kernelName, hint });
  };
}

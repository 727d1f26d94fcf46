import { HeError } from '../errors.js';
import type { EncryptedKernel } from './shared.js';

const POLYNOMIAL = 'Replace it by a polynomial over its calibrated interval (toPolynomial of tfjs-power-softmax).';
const COMPARISON = 'Comparisons have no polynomial form: compute them at the client after decryption.';

const ACTIVATION = `Train with GELU or a quadratic activation. ${POLYNOMIAL}`;
const COMPLEX = 'Keep real and imaginary parts as two tensors.';
const ROUNDING = 'Rounding has no polynomial form: compute it at the client.';

/** What to use instead, by tfjs kernel name. */
const REPLACEMENTS: Readonly<Record<string, string>> = {
  Softmax: 'Use PowerSoftmax (tfjs-power-softmax) and convert the model with toPolynomial.',
  LogSoftmax: 'Use PowerSoftmax (tfjs-power-softmax), and take logarithms at the client.',
  Exp: 'Use PowerSoftmax instead of softmax; elsewhere a polynomial over a calibrated interval.',
  Max: `${COMPARISON} For pooling use an average.`,
  MaxPool: 'Use average pooling.',
  ArgMax: 'Decrypt the scores and take the maximum at the client.',
  TopK: 'Decrypt the scores and sort at the client.',
  Relu: ACTIVATION,
  Relu6: ACTIVATION,
  LeakyRelu: ACTIVATION,
  Prelu: ACTIVATION,
  Elu: ACTIVATION,
  Selu: ACTIVATION,
  Softplus: ACTIVATION,
  Abs: 'Use a square, or compute it at the client.',
  ClipByValue: 'Train so that values stay in their interval instead of clipping them.',
  Reciprocal: 'Use reciprocal(x, {interval, bits}) of this package, over an interval that holds all values.',
  Rsqrt: 'Use rsqrt(x, {interval, bits}) of this package, over an interval that holds all values.',
  Sqrt: 'Use x times rsqrt(x, {interval, bits}) of this package, over an interval that holds all values.',
  Erf: POLYNOMIAL,
  Sigmoid: POLYNOMIAL,
  Tanh: POLYNOMIAL,
  Complex: COMPLEX,
  ComplexAbs: COMPLEX,
  FFT: `${COMPLEX} The transform is a product with the matrices of cosines and sines.`,
  IFFT: `${COMPLEX} The transform is a product with the matrices of cosines and sines.`,
  Floor: ROUNDING,
  Ceil: ROUNDING,
  Round: ROUNDING,
  FloorDiv: ROUNDING,
  Mod: ROUNDING,
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

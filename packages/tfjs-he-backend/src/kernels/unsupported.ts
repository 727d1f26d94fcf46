import { HeError } from '../errors.js';
import type { EncryptedKernel } from './shared.js';

const POLYNOMIAL =
  'Replace it by a polynomial over an interval that holds all values: polynomial(x, coefficients, {interval}) of this package, or toPolynomial of tfjs-power-softmax for whole models.';
const ACTIVATION = `Train with GELU or a quadratic activation. ${POLYNOMIAL}`;
const COMPARISON = 'Comparisons have no polynomial form: compute them at the client after decryption.';
const POOLING = 'Use average pooling.';
const ROUNDING = 'Rounding has no polynomial form: compute it at the client.';
const LOGIC =
  'Encrypted values have no truth values. Combine conditions in the clear, and use 0/1 masks: products for and, a + b - ab for or.';
const ORDER = 'Sorting and searching compare values: decrypt the scores and do it at the client.';
const COMPLEX = 'Keep real and imaginary parts as two tensors.';
const TRANSFORM = `${COMPLEX} The transform is a product with the matrices of cosines and sines.`;
const NORMALISATION =
  'Normalise in the clear before encryption, or train with RMSNorm or layer normalisation and convert it with toPolynomial.';
const CHECK = 'Encrypted values are finite: encryption refuses NaN and infinities. Check at the client.';
const INDICES = 'An encrypted index selects nothing. Encode indices as one-hot rows at the client and multiply by the table.';
const RAGGED = 'Shapes and sizes must be known without decrypting. Pad to a fixed shape in the clear.';
const TEXT = 'Only numbers are encrypted. Tokenise text at the client.';
const RANDOM = 'Draw at the client, from decrypted probabilities.';
const PICTURE = 'Decrypt first: drawing reads the values.';
const CONSTANT = 'It makes constants and takes no encrypted input: give its arguments in the clear.';

/** What to use instead, and the tfjs kernels it stands in for. */
const REPLACEMENTS: ReadonlyMap<string, string> = new Map(
  (
    [
      ['Use PowerSoftmax (tfjs-power-softmax) and convert the model with toPolynomial.', 'Softmax'],
      ['Use PowerSoftmax (tfjs-power-softmax), and take logarithms at the client.', 'LogSoftmax'],
      [`Use PowerSoftmax instead of softmax. Elsewhere: ${POLYNOMIAL}`, 'Exp Expm1'],
      [`${COMPARISON} For pooling use an average.`, 'Max Min'],
      [POOLING, 'MaxPool MaxPool3D MaxPool3DGrad MaxPoolGrad MaxPoolWithArgmax Pool'],
      ['Decrypt the scores and take the maximum at the client.', 'ArgMax ArgMin'],
      [ORDER, 'LowerBound NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 SearchSorted TopK Unique UpperBound'],
      [ACTIVATION, 'Elu EluGrad LeakyRelu Prelu Relu Relu6 Selu Softplus'],
      [`Use a convolution with average pooling. ${COMPARISON}`, 'Dilation2D Dilation2DBackpropFilter Dilation2DBackpropInput'],
      ['Use a square, or compute it at the client.', 'Abs'],
      ['Train so that values stay in their interval instead of clipping them.', 'ClipByValue'],
      ['Use reciprocal(x, {interval, bits}) of this package, over an interval that holds all values.', 'Reciprocal'],
      ['Use rsqrt(x, {interval, bits}) of this package, over an interval that holds all values.', 'Rsqrt'],
      ['Use x times rsqrt(x, {interval, bits}) of this package, over an interval that holds all values.', 'Sqrt'],
      [POLYNOMIAL, 'Acos Acosh Asin Asinh Atan Atan2 Atanh Cos Cosh Erf Log Log1p Sigmoid Sin Sinh Tan Tanh'],
      [COMPARISON, 'Equal Greater GreaterEqual Less LessEqual Maximum Minimum NotEqual Sign Step'],
      [LOGIC, 'All Any BitwiseAnd LogicalAnd LogicalNot LogicalOr LogicalXor'],
      [CHECK, 'IsFinite IsInf IsNan'],
      [ROUNDING, 'Ceil Floor FloorDiv Mod Round'],
      [COMPLEX, 'Complex ComplexAbs Imag Real'],
      [TRANSFORM, 'FFT IFFT'],
      [NORMALISATION, 'LRN LRNGrad'],
      [INDICES, 'OneHot'],
      [RAGGED, 'RaggedGather RaggedRange RaggedTensorToTensor SparseFillEmptyRows SparseReshape'],
      [TEXT, 'StaticRegexReplace StringNGrams StringSplit StringToHashBucketFast'],
      [RANDOM, 'Multinomial'],
      [PICTURE, 'Draw'],
      [CONSTANT, 'BroadcastArgs Fill LinSpace Range'],
      ['Multiply by a 0/1 mask of the band.', 'MatrixBandPart'],
    ] as const
  ).flatMap(([hint, names]) => names.split(' ').map((name) => [name, hint] as const)),
);

const OTHERS = `Use linear operations, products and squares. ${POLYNOMIAL}`;

/** The kernel of an operation that encrypted tensors do not have. @throws HeError KERNEL_UNSUPPORTED, always. */
export function unsupported(kernelName: string): EncryptedKernel {
  return () => {
    throw new HeError('KERNEL_UNSUPPORTED', `kernel '${kernelName}' is not available on encrypted tensors`, {
      op: kernelName,
      hint: REPLACEMENTS.get(kernelName) ?? OTHERS,
    });
  };
}

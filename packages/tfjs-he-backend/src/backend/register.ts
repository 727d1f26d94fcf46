import '@tensorflow/tfjs-backend-cpu';
import {
  getKernelsForBackend,
  type KernelConfig,
  LogicalXor,
  LogSoftmax,
  LowerBound,
  MatrixBandPart,
  Pool,
  registerBackend,
  registerKernel,
  UpperBound,
} from '@tensorflow/tfjs-core';
import { addConfig } from '../kernels/add.js';
import { addNConfig } from '../kernels/add_n.js';
import { avgPoolConfig, avgPoolGradConfig } from '../kernels/avg_pool.js';
import { batchMatMulConfig } from '../kernels/batch_mat_mul.js';
import { batchToSpaceNDConfig } from '../kernels/batch_to_space_nd.js';
import { broadcastToConfig } from '../kernels/broadcast_to.js';
import { castConfig } from '../kernels/cast.js';
import { concatConfig } from '../kernels/concat.js';
import { conv2DConfig } from '../kernels/conv_2d.js';
import {
  conv2DBackpropFilterConfig,
  conv2DBackpropInputConfig,
  depthwiseConv2dNativeBackpropFilterConfig,
  depthwiseConv2dNativeBackpropInputConfig,
} from '../kernels/convolution_gradients.js';
import { cumprodConfig } from '../kernels/cumprod.js';
import { cumsumConfig } from '../kernels/cumsum.js';
import { depthToSpaceConfig } from '../kernels/depth_to_space.js';
import { depthwiseConv2dNativeConfig } from '../kernels/depthwise_conv_2d_native.js';
import { einsumConfig } from '../kernels/einsum.js';
import { expandDimsConfig } from '../kernels/expand_dims.js';
import { fusedBatchNormConfig } from '../kernels/fused_batch_norm.js';
import { fusedConv2DConfig } from '../kernels/fused_conv_2d.js';
import { fusedDepthwiseConv2DConfig } from '../kernels/fused_depthwise_conv_2d.js';
import { fusedMatMulConfig } from '../kernels/fused_mat_mul.js';
import { gatherNdConfig } from '../kernels/gather_nd.js';
import { gatherV2Config } from '../kernels/gather_v2.js';
import { polynomialConfigs } from '../kernels/he_polynomial.js';
import { identityConfig } from '../kernels/identity.js';
import { onesLikeConfig, zerosLikeConfig } from '../kernels/like.js';
import { meanConfig } from '../kernels/mean.js';
import { mirrorPadConfig } from '../kernels/mirror_pad.js';
import { multiplyConfig } from '../kernels/multiply.js';
import { negConfig } from '../kernels/neg.js';
import { packConfig } from '../kernels/pack.js';
import { padV2Config } from '../kernels/pad_v2.js';
import { powConfig } from '../kernels/pow.js';
import { probedConfigs } from '../kernels/probed.js';
import { prodConfig } from '../kernels/prod.js';
import { realDivConfig } from '../kernels/real_div.js';
import { reshapeConfig } from '../kernels/reshape.js';
import { resizeNearestNeighborConfig } from '../kernels/resize_nearest_neighbor.js';
import { reverseConfig } from '../kernels/reverse.js';
import { scatterNdConfig, unsortedSegmentSumConfig } from '../kernels/scatter.js';
import { selectConfig } from '../kernels/select.js';
import { kernel } from '../kernels/shared.js';
import { sliceConfig } from '../kernels/slice.js';
import { spaceToBatchNDConfig } from '../kernels/space_to_batch_nd.js';
import { splitVConfig } from '../kernels/split_v.js';
import { squareConfig } from '../kernels/square.js';
import { squaredDifferenceConfig } from '../kernels/squared_difference.js';
import { stridedSliceConfig } from '../kernels/strided_slice.js';
import { subConfig } from '../kernels/sub.js';
import { sumConfig } from '../kernels/sum.js';
import { tensorScatterUpdateConfig } from '../kernels/tensor_scatter_update.js';
import { tileConfig } from '../kernels/tile.js';
import { transposeConfig } from '../kernels/transpose.js';
import { unpackConfig } from '../kernels/unpack.js';
import { unsupported } from '../kernels/unsupported.js';
import { registerPolynomialGradients } from '../ops/gradients.js';
import { registerComposedKernels } from '../ops/kernels.js';
import { BACKEND_NAME, HeBackend } from './he_backend.js';

const ENCRYPTED_KERNELS: readonly KernelConfig[] = [
  ...polynomialConfigs,
  ...probedConfigs,
  addConfig,
  addNConfig,
  avgPoolConfig,
  avgPoolGradConfig,
  batchMatMulConfig,
  batchToSpaceNDConfig,
  broadcastToConfig,
  castConfig,
  concatConfig,
  conv2DBackpropFilterConfig,
  conv2DBackpropInputConfig,
  conv2DConfig,
  cumprodConfig,
  cumsumConfig,
  depthToSpaceConfig,
  depthwiseConv2dNativeBackpropFilterConfig,
  depthwiseConv2dNativeBackpropInputConfig,
  depthwiseConv2dNativeConfig,
  einsumConfig,
  expandDimsConfig,
  fusedBatchNormConfig,
  fusedConv2DConfig,
  fusedDepthwiseConv2DConfig,
  fusedMatMulConfig,
  gatherNdConfig,
  gatherV2Config,
  identityConfig,
  meanConfig,
  mirrorPadConfig,
  multiplyConfig,
  negConfig,
  onesLikeConfig,
  packConfig,
  padV2Config,
  powConfig,
  prodConfig,
  realDivConfig,
  reshapeConfig,
  resizeNearestNeighborConfig,
  reverseConfig,
  scatterNdConfig,
  selectConfig,
  sliceConfig,
  spaceToBatchNDConfig,
  splitVConfig,
  squareConfig,
  squaredDifferenceConfig,
  stridedSliceConfig,
  subConfig,
  sumConfig,
  tensorScatterUpdateConfig,
  tileConfig,
  transposeConfig,
  unpackConfig,
  unsortedSegmentSumConfig,
  zerosLikeConfig,
];

/** Kernels that compute on encrypted tensors. */
export const encryptedKernelNames: readonly string[] = ENCRYPTED_KERNELS.map((config) => config.kernelName);

/** Names of tfjs-core that no operation dispatches and the CPU backend lacks; FromPixels must be missing for tfjs to do without. */
const UNUSED_KERNELS: readonly string[] = [LogicalXor, LogSoftmax, LowerBound, MatrixBandPart, Pool, UpperBound];

let registered = false;

/**
 * Registers the backend `he` with every kernel the CPU backend has: those above on ciphertexts, the others on plaintext only,
 * and the kernels of this package with tfjs's backends. Called by the
 * package's entry point; a second call does nothing.
 */
export function registerHeBackend(): void {
  if (registered) return;
  registered = true;
  // Priority 0: never chosen by itself.
  registerBackend(BACKEND_NAME, () => new HeBackend(), 0);
  const own = new Set(encryptedKernelNames);
  for (const config of ENCRYPTED_KERNELS) registerKernel(config);
  registerComposedKernels();
  registerPolynomialGradients();
  const others = getKernelsForBackend('cpu').map(({ kernelName }) => kernelName);
  for (const kernelName of [...others, ...UNUSED_KERNELS]) {
    if (!own.has(kernelName)) registerKernel(kernel(kernelName, unsupported(kernelName)));
  }
}

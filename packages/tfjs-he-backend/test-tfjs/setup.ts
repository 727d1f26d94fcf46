import '../src/index.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { getKernel, registerBackend, registerKernel, removeBackend, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import { EncryptingBackend } from './encrypting_backend.js';

/** Inputs that kernels take in the clear only: a client that asks for the kernel has to give them so. */
const PLAINTEXT_INPUTS: Readonly<Record<string, string>> = {
  Conv3D: 'filter',
  Conv3DBackpropFilterV2: 'x',
  Conv3DBackpropInputV2: 'filter',
  CropAndResize: 'boxes',
  FusedBatchNorm: 'variance',
  Pow: 'b',
  RealDiv: 'b',
  // The gradient of FusedBatchNorm takes that of its variance.
  Rsqrt: 'x',
  Transform: 'transforms',
};

const encrypted = process.argv.includes('encrypted');
if (encrypted) {
  removeBackend('he');
  registerBackend('he', () => new EncryptingBackend(), 0);
  for (const [kernelName, input] of Object.entries(PLAINTEXT_INPUTS)) givePlaintext(kernelName, input);
}
setTestEnvs([{ name: 'he', backendName: 'he', isDataSync: !encrypted }]);

function givePlaintext(kernelName: string, name: string): void {
  const config = getKernel(kernelName, 'he');
  unregisterKernel(kernelName, 'he');
  registerKernel({
    ...config,
    kernelFunc: (call) => {
      const { backend } = call;
      const given: TensorInfo | undefined = call.inputs[name];
      if (!(backend instanceof EncryptingBackend) || given === undefined || !backend.isEncrypted(given)) return config.kernelFunc(call);
      const clear = backend.inTheClear(given);
      try {
        return config.kernelFunc({ ...call, inputs: { ...call.inputs, [name]: clear } });
      } finally {
        backend.disposeData(clear.dataId);
      }
    },
  });
}

import '../src/index.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { getKernel, registerBackend, registerKernel, removeBackend, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import { EncryptingBackend } from './encrypting_backend.js';

interface PlaintextInput {
  readonly kernel: string;
  readonly input: string;
  readonly reason: string;
}

const INDICES = 'positions decide which elements are read';
const QUADRATIC = 'one operand of a 3-d convolution is in the clear, and tests encrypt both';

/** Inputs that kernels take in the clear only: a client that asks for the kernel has to give them so. */
const PLAINTEXT_INPUTS: readonly PlaintextInput[] = [
  { kernel: 'Conv3D', input: 'filter', reason: QUADRATIC },
  { kernel: 'Conv3DBackpropFilterV2', input: 'x', reason: QUADRATIC },
  { kernel: 'Conv3DBackpropInputV2', input: 'filter', reason: QUADRATIC },
  { kernel: 'CropAndResize', input: 'boxes', reason: INDICES },
  { kernel: 'FusedBatchNorm', input: 'variance', reason: 'its inverse square root needs an interval: rsqrt' },
  { kernel: 'Pow', input: 'b', reason: 'an exponent is a whole number that the program is made for' },
  { kernel: 'RealDiv', input: 'b', reason: 'a divisor needs an interval: reciprocal' },
  { kernel: 'Rsqrt', input: 'x', reason: 'in the gradient of FusedBatchNorm, of its variance' },
  { kernel: 'Transform', input: 'transforms', reason: INDICES },
];

const clearCalls = new Map<PlaintextInput, number>();

/** Calls of kernels that were given an input in the clear, and why. */
export function givenInTheClear(): { readonly what: string; readonly calls: number }[] {
  return [...clearCalls].map(([{ kernel, input, reason }, calls]) => ({ what: `${kernel} ${input}: ${reason}`, calls }));
}

const encrypted = process.argv.includes('encrypted');
if (encrypted) {
  removeBackend('he');
  registerBackend('he', () => new EncryptingBackend(), 0);
  for (const plaintext of PLAINTEXT_INPUTS) givePlaintext(plaintext);
}
setTestEnvs([{ name: 'he', backendName: 'he', isDataSync: !encrypted }]);

function givePlaintext(plaintext: PlaintextInput): void {
  const { kernel: kernelName, input: name } = plaintext;
  const config = getKernel(kernelName, 'he');
  unregisterKernel(kernelName, 'he');
  registerKernel({
    ...config,
    kernelFunc: (call) => {
      const { backend } = call;
      const given: TensorInfo | undefined = call.inputs[name];
      if (!(backend instanceof EncryptingBackend) || given === undefined || !backend.isEncrypted(given)) return config.kernelFunc(call);
      clearCalls.set(plaintext, (clearCalls.get(plaintext) ?? 0) + 1);
      const clear = backend.inTheClear(given);
      try {
        return config.kernelFunc({ ...call, inputs: { ...call.inputs, [name]: clear } });
      } finally {
        backend.disposeData(clear.dataId);
      }
    },
  });
}

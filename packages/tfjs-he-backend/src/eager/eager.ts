import { engine, getBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { BACKEND_NAME, HeBackend } from '../backend/he_backend.js';
import { HeError } from '../errors.js';
import type { TensorNode } from '../graph/node.js';
import { cleartext } from './cleartext.js';
import type { EagerOptions } from './evaluate_nodes.js';

let encryptedTensors = 0;

/**
 * An encrypted tensor with the values of `x` (float32), for operations on the backend `he`, which record what is asked of it. The values stay
 * with the client of this process, which encrypts them when decrypt() has chosen parameters for the whole graph.
 * @throws HeError GRAPH_INVALID (another backend is active), ENCODE_INVALID (strings, complex numbers, NaN,
 *   infinities, no elements).
 */
export function encrypt(x: Tensor): Tensor {
  const backend = activeBackend('encrypt');
  const values = x.dataSync();
  if (x.dtype === 'string' || x.dtype === 'complex64') {
    throw new HeError('ENCODE_INVALID', `a ${x.dtype} tensor cannot be encrypted`, { op: 'encrypt', hint: 'Use numbers.' });
  }
  if (x.size === 0) throw new HeError('ENCODE_INVALID', 'the tensor is empty', { op: 'encrypt', hint: 'Encrypt at least one number.' });
  const copy = Float64Array.from(values);
  if (!copy.every(Number.isFinite)) {
    throw new HeError('ENCODE_INVALID', 'a value is not finite', { op: 'encrypt', hint: 'Encrypt finite numbers.' });
  }
  const node = backend.recorder.input(`x${encryptedTensors++}`, x.shape);
  cleartext.set(node, copy);
  return engine().makeTensorFromTensorInfo(backend.wrap(node));
}

/**
 * Compiles what was recorded for encrypted tensors, makes keys, encrypts the inputs, runs the program and decrypts: several tensors are one
 * program, and every call starts from the inputs. For repeated work use compile() or runner().
 * @returns plaintext tensors of the same shapes
 * @throws HeError GRAPH_INVALID (a plaintext tensor, or one that encrypt() did not make), COMPILE_FAILED, PARAMETERS_INVALID, ABORTED.
 */
export async function decrypt(y: Tensor, options?: EagerOptions): Promise<Tensor>;
export async function decrypt(ys: readonly Tensor[], options?: EagerOptions): Promise<Tensor[]>;
export async function decrypt(y: Tensor | readonly Tensor[], options: EagerOptions = {}): Promise<Tensor | Tensor[]> {
  const backend = activeBackend('decrypt');
  const tensors = isList(y) ? y : [y];
  const nodes = tensors.map((t) => {
    if (backend.isEncrypted(t)) return backend.nodeOf(t);
    throw new HeError('GRAPH_INVALID', 'the tensor is not encrypted', { op: 'decrypt', hint: 'Read it with data().' });
  });
  const shapes = tensors.map((t) => t.shape);
  const decrypted = (await evaluate(nodes, options)).map((values, i) => tensor(values, shapes[i]));
  const [only] = decrypted;
  return isList(y) || only === undefined ? decrypted : only;
}

/**
 * From now on `await y.data()` of an encrypted tensor does what decrypt() does, with these options. `dataSync()` still throws.
 * @returns a function that takes the client away again. @throws HeError GRAPH_INVALID (another backend is active).
 */
export function attachClient(options: EagerOptions = {}): () => void {
  return activeBackend('attachClient').attachReader(async (node) => {
    const [values] = await evaluate([node], options);
    return values ?? new Float32Array(0);
  });
}

/** The holder of the secret key is loaded when something is decrypted, not before: a process that never does has none. */
async function evaluate(nodes: readonly TensorNode[], options: EagerOptions): Promise<Float32Array[]> {
  const { evaluateNodes } = await import('./evaluate_nodes.js');
  return evaluateNodes(nodes, options);
}

function activeBackend(op: string): HeBackend {
  const backend = getBackend() === BACKEND_NAME ? engine().backend : null;
  if (backend instanceof HeBackend) return backend;
  throw new HeError('GRAPH_INVALID', `the active backend is '${getBackend()}'`, { op, hint: "Call await tf.setBackend('he') first." });
}

function isList(y: Tensor | readonly Tensor[]): y is readonly Tensor[] {
  return Array.isArray(y);
}

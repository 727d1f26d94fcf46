import { engine, getBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { BACKEND_NAME, HeBackend } from '../backend/he_backend.js';
import { compileRecorded } from '../compiler/compile.js';
import type { CompileOptions } from '../compiler/options.js';
import { HeError } from '../errors.js';
import { constantOf } from '../graph/constants.js';
import { type TensorNode, topologicalOrder } from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import { type EagerControl, type EagerEngine, openLocalSession } from './local_session.js';

/** What the graph behind an encrypted tensor is compiled and run with. */
export interface EagerOptions extends Omit<CompileOptions, 'engine'>, EagerControl {
  /** Default `seal`. */
  readonly engine?: EagerEngine | undefined;
}

/** What the client of this process will encrypt once parameters are known. */
const cleartext = new WeakMap<TensorNode, Float64Array>();
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
  const decrypted = (await evaluateNodes(nodes, options)).map((values, i) => tensor(values, shapes[i]));
  const [only] = decrypted;
  return isList(y) || only === undefined ? decrypted : only;
}

/**
 * From now on `await y.data()` of an encrypted tensor does what decrypt() does, with these options. `dataSync()` still throws.
 * @returns a function that takes the client away again. @throws HeError GRAPH_INVALID (another backend is active).
 */
export function attachClient(options: EagerOptions = {}): () => void {
  return activeBackend('attachClient').attachReader(async (node) => {
    const [values] = await evaluateNodes([node], options);
    return values ?? new Float32Array(0);
  });
}

async function evaluateNodes(nodes: readonly TensorNode[], options: EagerOptions): Promise<Float32Array[]> {
  const { engine: engineName = 'seal', ...rest } = options;
  const simplified = simplify(nodes);
  // A graph that cancels out (x - x) has nothing to compute under encryption.
  const encrypted = simplified.filter((node) => constantOf(node) === null);
  const results = new Map<TensorNode, Float32Array>();
  if (encrypted.length > 0) {
    const { onProgress, signal, ...compileOptions } = rest;
    const program = await compileRecorded(encrypted, {
      ...compileOptions,
      engine: engineName === 'simd' ? 'simd' : 'seal',
      onProgress: (done, total) => onProgress?.({ type: 'compile', done, total }),
      ...(signal === undefined ? {} : { signal }),
    });
    const session = await openLocalSession(program, engineName, rest);
    try {
      const values = await session.run(inputsOf(encrypted), rest);
      for (const [i, node] of encrypted.entries()) results.set(node, values[i] ?? new Float32Array(0));
    } finally {
      session.dispose();
    }
  }
  return simplified.map((node) => results.get(node) ?? Float32Array.from(constantOf(node) ?? []));
}

function inputsOf(nodes: readonly TensorNode[]): Map<string, Float64Array> {
  const inputs = new Map<string, Float64Array>();
  for (const node of topologicalOrder(nodes)) {
    if (node.kind !== 'input') continue;
    const values = cleartext.get(node);
    if (values === undefined) {
      throw new HeError('GRAPH_INVALID', 'a tensor was not made by encrypt()', {
        op: 'decrypt',
        hint: 'Encrypt the inputs with encrypt(x).',
      });
    }
    inputs.set(node.name, values);
  }
  return inputs;
}

function activeBackend(op: string): HeBackend {
  const backend = getBackend() === BACKEND_NAME ? engine().backend : null;
  if (backend instanceof HeBackend) return backend;
  throw new HeError('GRAPH_INVALID', `the active backend is '${getBackend()}'`, { op, hint: "Call await tf.setBackend('he') first." });
}

function isList(y: Tensor | readonly Tensor[]): y is readonly Tensor[] {
  return Array.isArray(y);
}

import type { backend_util, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { engine } from '@tensorflow/tfjs-core';
import { HeBackend } from '../src/backend/he_backend.js';
import { createClient, pack, unpack } from '../src/client/index.js';
import { compileGraphFor } from '../src/compiler/compile.js';
import { HeError } from '../src/errors.js';
import { constantOf } from '../src/graph/constants.js';
import { evaluateGraph } from '../src/graph/evaluate.js';
import { sizeOf, type TensorNode, topologicalOrder } from '../src/graph/node.js';
import { simplify } from '../src/graph/simplify.js';
import { createParameters } from '../src/parameters/parameters.js';
import { choosePrimes } from '../src/parameters/primes.js';
import { manifestOf } from '../src/program/manifest_of.js';
import type { Program } from '../src/program/program.js';
import { createServer } from '../src/server/index.js';

/** Ring degrees in the order they are tried: the first with slots enough. */
const DEGREES = [1024, 4096, 16384];
const LEVELS = 10;
const REFRESH_LEVEL = 2;
const SCALE_BITS = 40;

/**
 * A chain that only a ring of 32768 carries securely, on smaller and faster ones. A scale of 40 bits has the noise at 1024 that one of 45 bits, which
 * the compiler would choose, has at 32768. The mock engine hides nothing anyway.
 */
const INSECURE_TEST_PARAMETERS = DEGREES.map((polyModulusDegree) =>
  createParameters({
    polyModulusDegree,
    coeffModulus: choosePrimes(polyModulusDegree, [50, ...new Array<number>(LEVELS + REFRESH_LEVEL).fill(SCALE_BITS), 50]),
    securityBits: 0,
    refreshLevel: REFRESH_LEVEL,
    valueBits: 12,
  }),
);

function compileInsecurely(node: TensorNode): Program {
  let reason: unknown;
  for (const parameters of INSECURE_TEST_PARAMETERS) {
    try {
      return compileGraphFor([node], parameters);
    } catch (error) {
      if (!(error instanceof HeError && error.code === 'COMPILE_FAILED')) throw error;
      reason = error;
    }
  }
  throw reason;
}

let runs = 0;

/** Programs run so far: that tests pass shows little if nothing is encrypted in them. */
export function decryptions(): number {
  return runs;
}

/**
 * The backend `he` with every float32 tensor encrypted as it is made; reading one compiles its graph and runs it on the mock engine, with the
 * noise of encryption. Constants that tfjs makes on its way back through a gradient stay in the clear: they are no inputs.
 */
export class EncryptingBackend extends HeBackend {
  private readonly cleartext = new WeakMap<TensorNode, Float64Array>();
  private made = 0;

  constructor() {
    super();
    this.attachReader((node) => this.decrypted(node));
  }

  override write(values: backend_util.BackendValues, shape: number[], dtype: DataType): TensorInfo['dataId'] {
    if (dtype !== 'float32' || sizeOf(shape) === 0 || inBackwardPass()) return super.write(values, shape, dtype);
    const numbers = Float64Array.from(values, Number);
    if (!numbers.every(Number.isFinite)) {
      throw new HeError('ENCODE_INVALID', 'a value is not finite', { op: 'encrypt', hint: 'Encrypt finite numbers.' });
    }
    const node = this.recorder.input(`x${this.made++}`, shape);
    this.cleartext.set(node, numbers);
    return this.wrap(node).dataId;
  }

  /** What an encrypted tensor would decrypt to, as a plaintext tensor: the client can compute it. */
  inTheClear(info: TensorInfo): TensorInfo {
    const node = this.nodeOf(info);
    const [values] = evaluateGraph([node], this.inputsOf(node));
    return this.plain.makeTensorInfo(info.shape, 'float32', Float32Array.from(values ?? []));
  }

  private inputsOf(node: TensorNode): Map<string, Float64Array> {
    const inputs = new Map<string, Float64Array>();
    for (const source of topologicalOrder([node])) {
      if (source.kind === 'input') inputs.set(source.name, this.cleartext.get(source) ?? new Float64Array(0));
    }
    return inputs;
  }

  private async decrypted(node: TensorNode): Promise<Float32Array> {
    const [simplified = node] = simplify([node]);
    const constant = constantOf(simplified);
    if (constant !== null) return Float32Array.from(constant);
    const program = compileInsecurely(simplified);
    const client = await createClient(manifestOf(program), { engine: 'mock', minimumSecurityBits: 0 });
    const server = await createServer(program, { engine: 'mock' });
    const session = await server.openSession(await client.evaluationKeys());
    const { slots } = client.parameters;
    const values = this.inputsOf(simplified);
    const vectors = server.manifest.inputs.flatMap((layout) => pack(values.get(layout.name) ?? [], layout, slots));
    const result = await session.run(client.encrypt(vectors), { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
    runs++;
    const decrypted = client.decrypt(result.outputs);
    return server.manifest.outputs.flatMap((layout) => [unpack(decrypted, layout, slots)])[0] ?? new Float32Array(0);
  }
}

function inBackwardPass(): boolean {
  return engine().state.scopeStack.some((scope) => scope.name === 'backward');
}

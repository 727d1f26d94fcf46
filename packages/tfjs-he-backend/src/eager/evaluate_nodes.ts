import { compileRecorded } from '../compiler/compile.js';
import type { CompileOptions } from '../compiler/options.js';
import { HeError } from '../errors.js';
import { constantOf } from '../graph/constants.js';
import { type TensorNode, topologicalOrder } from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import { cleartext } from './cleartext.js';
import { type EagerControl, type EagerEngine, openLocalSession } from './local_session.js';

/** What the graph behind an encrypted tensor is compiled and run with. */
export interface EagerOptions extends Omit<CompileOptions, 'engine'>, EagerControl {
  /** Default `seal`. */
  readonly engine?: EagerEngine | undefined;
}

/** Values of nodes: compiles, makes keys, encrypts, runs and decrypts, in this process. */
export async function evaluateNodes(nodes: readonly TensorNode[], options: EagerOptions): Promise<Float32Array[]> {
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

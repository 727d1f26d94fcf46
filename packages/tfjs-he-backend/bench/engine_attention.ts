import '@tensorflow/tfjs-backend-cpu';
import { enableProdMode, matMul, reshape, setBackend, type Tensor, transpose } from '@tensorflow/tfjs-core';
import { compileGraph, hoistRotations, manifestOf, traceFunction } from 'tfjs-he-backend';
import { createClient, pack } from 'tfjs-he-backend/client';
import { createServer } from 'tfjs-he-backend/server';
import type { Targets } from './engine_cases.ts';

const TOKENS = 64;
const WIDTH = 128;
const HEADS = 2;

export interface Attention {
  readonly name: string;
  readonly targets: Targets;
  /** Runs return the milliseconds of the evaluator; the client's refreshes, SEAL's on every engine, do not count. */
  prepare(): Promise<{ seal(): Promise<number>; simd(): Promise<number>; simd2(): Promise<number>; dispose(): void }>;
}

/** Scores Q K^T and their product with V, Q = K = V; the program that the compiler makes, on servers of both engines. */
function body(x: Tensor | Tensor[]): Tensor {
  if (Array.isArray(x)) throw new Error('attention has one input');
  const heads = transpose(reshape(x, [1, TOKENS, HEADS, WIDTH / HEADS]), [0, 2, 1, 3]);
  return matMul(matMul(heads, heads, false, true), heads);
}

export function attentionCase(): Attention {
  return {
    name: `attention T=${TOKENS} d=${WIDTH} h=${HEADS}, one program`,
    targets: [5, 9],
    async prepare() {
      enableProdMode();
      await setBackend('cpu');
      const graph = await traceFunction(body, [{ name: 'x', shape: [1, TOKENS, WIDTH] }]);
      const program = hoistRotations(compileGraph(graph));
      const client = await createClient(manifestOf(program), { engine: 'seal' });
      const keys = await client.evaluationKeys();
      const servers = await Promise.all([
        createServer(program, { engine: 'seal' }),
        createServer(program, { engine: 'simd' }),
        createServer(program, { engine: 'simd', threads: 2 }),
      ]);
      const sessions = await Promise.all(servers.map((server) => server.openSession(keys)));
      const values = Float32Array.from({ length: TOKENS * WIDTH }, (_, i) => Math.sin(i) / 16);
      const layout = program.inputs[0]?.layout;
      if (layout === undefined) throw new Error('the program has no input');
      const inputs = client.encrypt(pack(values, layout, client.parameters.slots));
      const run = async (index: number) => {
        const result = await sessions[index]?.run(inputs, { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
        return result?.evaluateMs ?? 0;
      };
      return {
        seal: () => run(0),
        simd: () => run(1),
        simd2: () => run(2),
        dispose() {
          for (const session of sessions) session.dispose();
          for (const server of servers) server.dispose();
          client.dispose();
        },
      };
    },
  };
}

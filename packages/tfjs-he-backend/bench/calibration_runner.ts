import type { CostEngine, Measured, Program } from 'tfjs-he-backend';
import { manifestOf } from 'tfjs-he-backend';
import { createClient } from 'tfjs-he-backend/client';
import { createServer, type RunResult, type Server } from 'tfjs-he-backend/server';

/** How often constants are encoded, of which the fastest time counts. */
const ENCODINGS = 3;

/** A program that is ready to run on meaningless values, client and server in this process. */
export interface Runner {
  /** To encode all constants. */
  readonly encodeMs: number;
  readonly run: () => Promise<RunResult>;
  readonly dispose: () => void;
}

export async function openRunner(program: Program, engine: CostEngine, threads: number): Promise<Runner> {
  const client = await createClient(manifestOf(program), { engine: 'seal' });
  const options = { engine, ...(engine === 'simd' ? { threads } : {}) };
  let server = await createServer(program, options);
  let encodeMs = await preparationMs(server);
  for (let i = 1; i < ENCODINGS; i++) {
    server.dispose();
    server = await createServer(program, options);
    encodeMs = Math.min(encodeMs, await preparationMs(server));
  }
  const session = await server.openSession(await client.evaluationKeys());
  const { slots } = client.parameters;
  const { inputs, state = [] } = server.manifest;
  const zerosOf = (layouts: typeof inputs): Float64Array[] =>
    layouts.flatMap(({ ciphertexts }) => Array.from({ length: ciphertexts }, () => new Float64Array(slots)));
  const sequence = state.length === 0 ? undefined : session.sequence(client.encrypt(zerosOf(state)));
  return {
    encodeMs,
    run: () => {
      const refresh = async (ciphertexts: readonly Uint8Array[]): Promise<Uint8Array[]> => client.refresh(ciphertexts);
      return (sequence ?? session).run(client.encrypt(zerosOf(inputs)), { refresh });
    },
    dispose() {
      sequence?.dispose();
      session.dispose();
      server.dispose();
      client.dispose();
    },
  };
}

async function preparationMs(server: Server): Promise<number> {
  const start = performance.now();
  await server.prepare();
  return performance.now() - start;
}

/** Times of layers, refreshes and all else when nothing else ran. */
export type Least = Pick<Measured, 'layers' | 'refreshMs'> & { readonly evaluateMs: number };

export function leastOf(results: readonly RunResult[]): Least {
  const of = (pick: (result: RunResult) => number): number => Math.min(...results.map(pick));
  const layers = (results[0]?.layers ?? []).map(({ name }, i) => ({ name, ms: of((result) => result.layers[i]?.ms ?? 0) }));
  return { layers, refreshMs: of((result) => result.refreshMs), evaluateMs: of((result) => result.evaluateMs) };
}

import type { Program } from 'tfjs-he-backend';
import { createClient, pack } from 'tfjs-he-backend/client';
import { createServer } from 'tfjs-he-backend/server';
import { type EvaluatorOptions, evaluatorOf } from '../use/evaluator.js';
import { median } from '../use/median.js';

/** Encrypted runs of a program on made-up input. */
export interface MeasuredRuns {
  /** Median of the warm ones. */
  readonly measuredMs: number;
  /** Of engine `simd`. */
  readonly threads: number;
}

/**
 * Milliseconds, the median of `repeat` warm encrypted runs of engine `simd`, with as many threads as models are served with.
 *
 * @throws HeError, MEMORY_BUDGET if not even the ciphertexts fit
 */
export async function measureRuns(
  program: Program,
  repeat: number,
  options: Pick<EvaluatorOptions, 'threads'> = {},
): Promise<MeasuredRuns> {
  const { threads } = evaluatorOf('execute', options);
  return { measuredMs: median(await encryptedRuns(program, threads, repeat)), threads };
}

/** Milliseconds of each warm run on made-up input, client and server in this process; the first run is not counted. */
async function encryptedRuns(program: Program, threads: number, repeat: number): Promise<readonly number[]> {
  const server = await createServer(program, { engine: 'simd', threads });
  try {
    const client = await createClient(server.manifest, { engine: 'seal' });
    try {
      const session = await server.openSession(await client.evaluationKeys());
      const packed = server.manifest.inputs.flatMap((layout) => pack(madeUp(layout.shape), layout, client.parameters.slots));
      const times: number[] = [];
      for (let run = 0; run <= repeat; run += 1) {
        const start = performance.now();
        const { outputs } = await session.run(client.encrypt(packed), { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
        client.decrypt(outputs);
        times.push(performance.now() - start);
      }
      session.dispose();
      return times.slice(1);
    } finally {
      client.dispose();
    }
  } finally {
    server.dispose();
  }
}

function madeUp(shape: readonly number[]): number[] {
  return Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => Math.sin(i));
}

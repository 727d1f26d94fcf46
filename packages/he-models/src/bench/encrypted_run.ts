import type { Program } from 'tfjs-he-backend';
import { createClient, pack } from 'tfjs-he-backend/client';
import { createServer, type ServerEngine } from 'tfjs-he-backend/server';

/**
 * Milliseconds of warm encrypted runs of a program on made-up input, client and server in this process; the first run is not counted.
 *
 * @throws HeError, MEMORY_BUDGET if not even the ciphertexts fit
 */
export async function encryptedRuns(program: Program, engine: ServerEngine, repeat: number): Promise<readonly number[]> {
  const server = await createServer(program, { engine });
  try {
    const client = await createClient(server.manifest, { engine: engine === 'mock' ? 'mock' : 'seal' });
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

import { createClient } from '../../src/client/index.js';
import type { RunOptions } from '../../src/executor/types.js';
import { manifestOf } from '../../src/index.js';
import type { Program } from '../../src/program/program.js';
import { createServer } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';

/** A client and a server of a program in one process. */
export async function openPair(program: Program, engine: 'mock' | 'seal' | 'simd', threads = 1) {
  const client = await createClient(JSON.parse(JSON.stringify(manifestOf(program))), { engine: engine === 'mock' ? 'mock' : 'seal' });
  const server = await createServer(program, { engine, threads });
  const session = await server.openSession(await client.evaluationKeys());
  const { slots } = client.parameters;
  const encrypt = (x: ArrayLike<number>) => client.encrypt(pack(x, server.manifest.inputs[0]!, slots));
  return {
    client,
    server,
    session,
    encrypt,
    async infer(x: ArrayLike<number>, options: Partial<RunOptions> = {}): Promise<Float32Array> {
      const result = await session.run(encrypt(x), { refresh: async (ciphertexts) => client.refresh(ciphertexts), ...options });
      return unpack(client.decrypt(result.outputs), server.manifest.outputs[0]!, slots);
    },
    dispose() {
      session.dispose();
      server.dispose();
      client.dispose();
    },
  };
}

import { createClient } from '../../src/client/index.js';
import type { RunOptions } from '../../src/executor/types.js';
import { manifestOf } from '../../src/index.js';
import type { Program } from '../../src/program/program.js';
import { createServer, type ServerOptions } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';

/** A client and a server of a program in one process; of insecure programs too. */
export async function openPair(program: Program, engine: 'mock' | 'seal' | 'simd', options: Omit<ServerOptions, 'engine'> = {}) {
  const client = await openClient(program, engine);
  const server = await createServer(program, { ...options, engine });
  const keys = await client.evaluationKeys();
  const session = await server.openSession(keys);
  const { slots } = client.parameters;
  const encrypt = (x: ArrayLike<number>) => client.encrypt(pack(x, server.manifest.inputs[0]!, slots));
  const decrypt = (outputs: Uint8Array[]) => unpack(client.decrypt(outputs), server.manifest.outputs[0]!, slots);
  return {
    client,
    keys,
    server,
    session,
    encrypt,
    decrypt,
    /** Encryptions of zeros. */
    zeros: (count: number) => client.encrypt(Array.from({ length: count }, () => new Float64Array(slots))),
    async infer(x: ArrayLike<number>, options: Partial<RunOptions> = {}): Promise<Float32Array> {
      const result = await session.run(encrypt(x), { refresh: async (ciphertexts) => client.refresh(ciphertexts), ...options });
      return decrypt(result.outputs);
    },
    dispose() {
      session.dispose();
      server.dispose();
      client.dispose();
    },
  };
}

/** A client that takes the program's manifest, however little security that offers. */
export function openClient(program: Program, engine: 'mock' | 'seal' | 'simd') {
  const { securityBits } = program.parameters;
  return createClient(JSON.parse(JSON.stringify(manifestOf(program))), {
    engine: engine === 'mock' ? 'mock' : 'seal',
    minimumSecurityBits: securityBits,
  });
}

import { manifestOf, type Program } from 'tfjs-he-backend';
import { type Client, createClient, pack, unpack } from 'tfjs-he-backend/client';
import { createServer, type RunResult } from 'tfjs-he-backend/server';

export interface Inference {
  readonly output: Float32Array;
  readonly encryptMs: number;
  readonly decryptMs: number;
  readonly totalMs: number;
  readonly run: RunResult;
  /** Bytes from the client to the server and back, refreshes included, keys not. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
}

export interface EncryptedPair {
  readonly setupMs: { readonly client: number; readonly keys: number; readonly server: number };
  /** Size of the uploaded evaluation keys. */
  readonly keyUploadBytes: number;
  infer(values: ArrayLike<number>): Promise<Inference>;
  dispose(): void;
}

const bytesOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);

/** Client and server of one program in this process; what would cross the network is counted. `threads` are of engine simd. */
export async function openEncryptedPair(program: Program, engine: 'mock' | 'seal' | 'simd', threads: number): Promise<EncryptedPair> {
  const t0 = performance.now();
  const client = await createClient(manifestOf(program), { engine: engine === 'mock' ? 'mock' : 'seal' });
  const t1 = performance.now();
  const keys = await client.evaluationKeys();
  const t2 = performance.now();
  const server = await createServer(program, { engine, ...(engine === 'simd' ? { threads } : {}) });
  const session = await server.openSession(keys);
  const t3 = performance.now();
  return {
    setupMs: { client: t1 - t0, keys: t2 - t1, server: t3 - t2 },
    keyUploadBytes: keys.length,
    infer: (values) => infer(client, server.manifest, session.run.bind(session), values),
    dispose() {
      session.dispose();
      server.dispose();
      client.dispose();
    },
  };
}

async function infer(
  client: Client,
  manifest: ReturnType<typeof manifestOf>,
  run: (inputs: Uint8Array[], options: { refresh: (c: Uint8Array[]) => Promise<Uint8Array[]> }) => Promise<RunResult>,
  values: ArrayLike<number>,
): Promise<Inference> {
  const [input] = manifest.inputs;
  const [output] = manifest.outputs;
  if (input === undefined || output === undefined) throw new Error('the program has no input or no output');
  const { slots } = client.parameters;
  const start = performance.now();
  const encrypted = client.encrypt(pack(values, input, slots));
  const encryptedAt = performance.now();
  let uploadBytes = bytesOf(encrypted);
  let downloadBytes = 0;
  const result = await run(encrypted, {
    refresh: async (ciphertexts) => {
      downloadBytes += bytesOf(ciphertexts);
      const fresh = client.refresh(ciphertexts);
      uploadBytes += bytesOf(fresh);
      return fresh;
    },
  });
  const ranAt = performance.now();
  downloadBytes += bytesOf(result.outputs);
  const decrypted = unpack(client.decrypt(result.outputs), output, slots);
  const end = performance.now();
  return {
    output: decrypted,
    encryptMs: encryptedAt - start,
    decryptMs: end - ranAt,
    totalMs: end - start,
    run: result,
    uploadBytes,
    downloadBytes,
  };
}

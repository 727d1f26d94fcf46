import { type Client, createClient, type Manifest, pack, unpack } from '../client/index.js';
import { HeError } from '../errors.js';
import type { ProgressEvent } from '../executor/types.js';
import { manifestOf } from '../program/manifest_of.js';
import type { Program } from '../program/program.js';
import { createServer, type Server, type ServerEngine, type Session } from '../server/index.js';

/** `mock` computes on float64 values with the noise of encryption and hides nothing; `seal` and `simd` on ciphertexts. */
export type EagerEngine = ServerEngine;

/** Parameter sets tried, keys made, then what a server reports while a program runs. */
export type EagerProgress = { readonly type: 'compile' | 'keys'; readonly done: number; readonly total: number } | ProgressEvent;

/** Progress, and a signal to stop. */
export interface EagerControl {
  readonly onProgress?: ((event: EagerProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Client and server of one program in one process. */
export interface LocalSession {
  readonly manifest: Manifest;
  /**
   * Encrypts, evaluates, decrypts.
   * @param inputs values by input name, row-major
   * @returns values of the outputs, in the manifest's order. @throws HeError ENCODE_INVALID, ABORTED, and those of the engine.
   */
  run(inputs: ReadonlyMap<string, ArrayLike<number>>, control?: EagerControl): Promise<Float32Array[]>;
  dispose(): void;
}

/** Makes the keys and loads them at the server. @throws HeError RUNTIME_UNSUPPORTED, ABORTED. */
export async function openLocalSession(
  program: Program,
  engine: EagerEngine,
  { onProgress, signal }: EagerControl = {},
): Promise<LocalSession> {
  const opened: { dispose(): void }[] = [];
  const dispose = (): void => {
    for (const item of opened.splice(0).reverse()) item.dispose();
  };
  try {
    const client: Client = await createClient(manifestOf(program), { engine: engine === 'mock' ? 'mock' : 'seal' });
    opened.push(client);
    const server: Server = await createServer(program, { engine });
    opened.push(server);
    const keys = await client.evaluationKeys((done, total) => onProgress?.({ type: 'keys', done, total }), signal);
    const session: Session = await server.openSession(keys);
    opened.push(session);
    const { manifest } = server;
    return { manifest, run: (inputs, control = {}) => infer(client, session, manifest, inputs, control), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function infer(
  client: Client,
  session: Session,
  { inputs, outputs }: Manifest,
  values: ReadonlyMap<string, ArrayLike<number>>,
  { onProgress, signal }: EagerControl,
): Promise<Float32Array[]> {
  const { slots } = client.parameters;
  const vectors = inputs.flatMap((layout) => {
    const given = values.get(layout.name);
    if (given === undefined)
      throw new HeError('ENCODE_INVALID', `no value for input '${layout.name}'`, { hint: 'Give every input a value.' });
    return pack(given, layout, slots);
  });
  const result = await session.run(client.encrypt(vectors), {
    refresh: async (ciphertexts) => client.refresh(ciphertexts),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  const decrypted = client.decrypt(result.outputs);
  let next = 0;
  return outputs.map((layout) => {
    const own = decrypted.slice(next, next + layout.ciphertexts);
    next += layout.ciphertexts;
    return unpack(own, layout, slots);
  });
}

import type { LayerTime, ProgressEvent, Session } from 'tfjs-he-backend/server';
import type { LoadOptions } from '../hub/model_files.js';
import type { EncodeOptions, ModelInput } from './encoder.js';
import type { EvaluatorOptions } from './evaluator.js';
import type { EncryptedFhe, HeModelClient } from './he_model_client.js';
import { HeModelServer, type ServerLoadOptions } from './he_model_server.js';

export interface PairOptions extends LoadOptions, EvaluatorOptions, Pick<ServerLoadOptions, 'compile' | 'seed' | 'cache'> {
  readonly fhe: EncryptedFhe;
}

export interface InferOptions extends EncodeOptions {
  readonly signal?: AbortSignal;
  /** Layers and refreshes as they run. */
  readonly onProgress?: (event: ProgressEvent) => void;
}

/** One input through encryption, evaluation and decryption. Times are wall-clock milliseconds. */
export interface Inference {
  readonly logits: Float32Array;
  readonly encryptMs: number;
  /** In the evaluator. */
  readonly evaluateMs: number;
  /** Waiting for the client's refreshes. */
  readonly refreshMs: number;
  readonly decryptMs: number;
  readonly totalMs: number;
  /** Ciphertexts refreshed. */
  readonly refreshes: number;
  /** From client to server and back, refreshes included, keys not. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
  readonly layers: readonly LayerTime[];
}

/** Client and server of one model in this process. */
export interface LocalPair {
  readonly client: HeModelClient;
  readonly server: HeModelServer;
  /** Evaluation keys as they were sent. */
  readonly keyBytes: number;
  readonly infer: (input: ModelInput, options?: InferOptions) => Promise<Inference>;
  /** The client's place at the server. */
  readonly session: Session;
  /** Encrypts, runs and decrypts with the clock running. */
  readonly measure: (encrypt: () => Uint8Array[], run: Session['run'], options?: InferOptions) => Promise<Inference>;
  readonly dispose: () => void;
}

/** Loads the server for a client, compiles, makes keys and hands them over. @throws as HeModelServer.from_pretrained and connect */
export async function openLocalPair(client: HeModelClient, model: string | URL, options: PairOptions): Promise<LocalPair> {
  const { fhe, signal, progress_callback: report, seed } = options;
  const server = await HeModelServer.from_pretrained(model, options);
  try {
    const connection = { fhe, ...(report === undefined ? {} : { progress_callback: report }), ...(signal === undefined ? {} : { signal }) };
    const keys = await client.connect(server.manifest, { ...connection, ...(seed === undefined ? {} : { seed: seed + 1 }) });
    await server.prepare({
      onProgress: (loaded, total) => report?.({ status: 'encode', name: server.name, loaded, total }),
      ...(signal === undefined ? {} : { signal }),
    });
    const session = await server.openSession(keys, options.rerandomize === undefined ? {} : { publicKey: client.publicKey() });
    return {
      client,
      server,
      keyBytes: keys.length,
      session,
      infer: (input, inferOptions) =>
        measure(
          client,
          () => client.encrypt(input, inferOptions),
          (inputs, runOptions) => session.run(inputs, runOptions),
          inferOptions,
        ),
      measure: (encrypt, run, inferOptions) => measure(client, encrypt, run, inferOptions),
      dispose: () => {
        session.dispose();
        server.dispose();
        client.dispose();
      },
    };
  } catch (error) {
    server.dispose();
    client.dispose();
    signal?.throwIfAborted();
    throw error;
  }
}

async function measure(
  client: HeModelClient,
  encrypt: () => Uint8Array[],
  run: Session['run'],
  options: InferOptions = {},
): Promise<Inference> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const start = performance.now();
  const inputs = encrypt();
  const encrypted = performance.now();
  let uploadBytes = bytesOf(inputs);
  let downloadBytes = 0;
  try {
    const result = await run(inputs, {
      refresh: async (ciphertexts) => {
        downloadBytes += bytesOf(ciphertexts);
        const fresh = client.refresh(ciphertexts);
        uploadBytes += bytesOf(fresh);
        return fresh;
      },
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    downloadBytes += bytesOf(result.outputs);
    const received = performance.now();
    const logits = client.decrypt(result.outputs);
    const end = performance.now();
    const { evaluateMs, refreshMs, refreshes, layers } = result;
    const times = { encryptMs: encrypted - start, evaluateMs, refreshMs, decryptMs: end - received, totalMs: end - start };
    return { logits, ...times, refreshes, uploadBytes, downloadBytes, layers };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

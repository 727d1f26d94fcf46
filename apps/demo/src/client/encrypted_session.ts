import { type Client, createClient, pack, unpack } from 'tfjs-he-backend/client';
import { DemoError } from '../errors.js';
import { clientEngineOf, type EngineName } from '../protocol/engine.js';
import { type LayerTime, manifestReply, type RunEvent, sessionReply } from '../protocol/messages.js';
import { requestJson, requestNothing } from './http.js';
import { runQuestion } from './run.js';

/** What a user may want to see while waiting. */
export type ClientEvent =
  | { readonly type: 'phase'; readonly name: string }
  | { readonly type: 'keys'; readonly done: number; readonly total: number }
  | { readonly type: 'upload'; readonly sent: number; readonly total: number }
  | { readonly type: 'run'; readonly event: RunEvent }
  | { readonly type: 'reconnect'; readonly attempt: number };

export interface SessionRequest {
  readonly url: URL;
  readonly model: string;
  /** The one that the server must run; undefined: any that encrypts. Never `mock` unasked, which would get the data in the clear. */
  readonly engine: EngineName | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ClientEvent) => void;
}

export interface Answer {
  readonly logits: Float32Array;
  /** Ciphertexts that the client re-encrypted. */
  readonly refreshes: number;
  /** Messages of the question itself; the evaluation keys are apart. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
  readonly latencyMs: {
    readonly encrypt: number;
    readonly evaluate: number;
    readonly refresh: number;
    readonly decrypt: number;
    readonly total: number;
  };
  readonly layers: readonly LayerTime[];
}

/** A client whose evaluation keys a server holds; any number of questions, one at a time. */
export interface EncryptedSession {
  readonly params: { readonly polyModulusDegree: number; readonly coeffModulusBits: readonly number[]; readonly securityBits: number };
  /** Which evaluator the server runs. */
  readonly engine: EngineName;
  /** Of that evaluator. */
  readonly threads: number;
  readonly evaluationKeyBytes: number;
  readonly setupMs: { readonly keys: number; readonly upload: number };
  /** @param values the model's input, row-major. */
  ask(values: Float32Array): Promise<Answer>;
  /** Forgets the keys on both sides. */
  close(): Promise<void>;
}

/** @throws DemoError, HeError (manifest refused, key generation). */
export async function openEncryptedSession(request: SessionRequest): Promise<EncryptedSession> {
  const { url, model, engine, signal, onEvent } = request;
  onEvent({ type: 'phase', name: 'fetching the manifest' });
  const modelUrl = new URL(`models/${encodeURIComponent(model)}`, withSlash(url));
  const reply = await requestJson(manifestReply, { method: 'GET', url: modelUrl, signal });
  checkEngine(reply.engine, engine);
  const start = performance.now();
  onEvent({ type: 'phase', name: 'creating the encryption context' });
  const client = await createClient(reply.manifest, { engine: clientEngineOf(reply.engine) });
  try {
    const keys = await client.evaluationKeys((done, total) => onEvent({ type: 'keys', done, total }), signal);
    const uploadStart = performance.now();
    const { session } = await requestJson(sessionReply, {
      method: 'POST',
      url: new URL(`${modelUrl}/sessions`),
      body: keys,
      signal,
      onSent: (sent, total) => onEvent({ type: 'upload', sent, total }),
    });
    const setupMs = { keys: uploadStart - start, upload: performance.now() - uploadStart };
    const sessionUrl = new URL(`sessions/${session}`, withSlash(url));
    return openSession(client, sessionUrl, request, {
      engine: reply.engine,
      threads: reply.threads,
      evaluationKeyBytes: keys.length,
      setupMs,
    });
  } catch (error) {
    client.dispose();
    signal.throwIfAborted();
    throw error;
  }
}

/** @throws DemoError ENGINE_MISMATCH. */
function checkEngine(actual: EngineName, wanted: EngineName | undefined): void {
  if (actual === wanted || (wanted === undefined && actual !== 'mock')) return;
  const mismatch = wanted === undefined ? 'which keeps nothing secret' : `not ${wanted}`;
  const hint = actual === 'mock' ? 'pass --engine mock if sending the question in the clear is fine' : `pass --engine ${actual}, or none`;
  throw new DemoError('ENGINE_MISMATCH', `the server runs the engine ${actual}, ${mismatch}: ${hint}`);
}

function openSession(
  client: Client,
  sessionUrl: URL,
  { signal, onEvent }: SessionRequest,
  opened: Pick<EncryptedSession, 'engine' | 'threads' | 'evaluationKeyBytes' | 'setupMs'>,
): EncryptedSession {
  const { manifest, parameters } = client;
  const input = only(manifest.inputs, 'input');
  const output = only(manifest.outputs, 'output');
  const runUrl = new URL(`${sessionUrl}/run`);
  runUrl.protocol = sessionUrl.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    params: {
      polyModulusDegree: parameters.polyModulusDegree,
      coeffModulusBits: parameters.coeffModulus.map((prime) => prime.toString(2).length),
      securityBits: parameters.securityBits,
    },
    ...opened,
    async ask(values) {
      const start = performance.now();
      onEvent({ type: 'phase', name: 'encrypting' });
      const inputs = client.encrypt(pack(values, input, parameters.slots));
      const encrypted = performance.now();
      onEvent({ type: 'phase', name: 'evaluating on ciphertexts' });
      const { outputs, done, uploadBytes, downloadBytes } = await runQuestion({
        url: runUrl,
        inputs,
        outputCount: output.ciphertexts,
        refreshCounts: manifest.refreshes,
        ciphertextBytes: 2 * 8 * parameters.polyModulusDegree * parameters.coeffModulus.length + 1024,
        refresh: (ciphertexts) => client.refresh(ciphertexts),
        onEvent: (event) => onEvent({ type: 'run', event }),
        onReconnect: (attempt) => onEvent({ type: 'reconnect', attempt }),
        signal,
      });
      onEvent({ type: 'phase', name: 'decrypting' });
      const received = performance.now();
      const logits = unpack(client.decrypt(outputs), output, parameters.slots);
      const end = performance.now();
      const latencyMs = {
        encrypt: encrypted - start,
        evaluate: done.evaluateMs,
        refresh: done.refreshMs,
        decrypt: end - received,
        total: end - start,
      };
      return { logits, refreshes: done.refreshes, uploadBytes, downloadBytes, latencyMs, layers: done.layers };
    },
    async close() {
      client.dispose();
      if (signal.aborted) return;
      await requestNothing({ method: 'DELETE', url: sessionUrl, signal: AbortSignal.timeout(2000) }).catch(() => {}); // it expires anyway
    },
  };
}

function only<T>(items: readonly T[], what: string): T {
  const [item] = items;
  if (item === undefined || items.length !== 1) throw new DemoError('PROTOCOL', `the model has ${items.length} ${what}s: one is supported`);
  return item;
}

function withSlash(url: URL): URL {
  return url.pathname.endsWith('/') ? url : new URL(`${url.pathname}/`, url);
}

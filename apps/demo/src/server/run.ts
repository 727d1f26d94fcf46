import { on } from 'node:events';
import type { Run, Server } from 'tfjs-he-backend/server';
import type { RawData, WebSocket } from 'ws';
import { codeOf, DemoError, oneLine } from '../errors.js';
import { decodeFrame, encodeFrame } from '../protocol/frame.js';
import type { RunEvent } from '../protocol/messages.js';
import type { Lease } from './sessions.js';

/** Close codes: 1000 answered, 4000 failed (a `failed` event came before). */
const CLOSE_NORMAL = 1000;
const CLOSE_FAILED = 4000;

export interface RunLimits {
  /** Longest wait for the inputs and for the answer to a refresh. */
  readonly clientTimeoutMs: number;
  /** How long an interrupted run waits for its client to come back. */
  readonly resumeMs: number;
}

/**
 * Answers one question over a socket: inputs in, progress and refresh requests out, refreshed ciphertexts in, outputs out. When the socket closes,
 * the run stops and waits with its session for a client that resumes it: then no inputs are expected, and a `resumed` event says where it
 * goes on. Never rejects: errors go to the client as a `failed` event.
 */
export async function serveRun(
  socket: WebSocket,
  { takeLease, resume }: { readonly takeLease: () => Lease | Promise<Lease>; readonly resume: boolean },
  serverOf: (model: string) => Server,
  limits: RunLimits,
): Promise<void> {
  const closed = new AbortController();
  socket.once('close', () => closed.abort(new DemoError('INTERRUPTED', 'the client has closed the connection')));
  // One message at a time: who sends more than was asked for is made to wait by TCP.
  const messages = on(socket, 'message', { signal: closed.signal, highWaterMark: 1, lowWaterMark: 1 });
  const send = (event: RunEvent): void => socket.send(JSON.stringify(event));
  let lease: Lease | undefined;
  try {
    lease = await takeLease();
    const { manifest } = serverOf(lease.model);
    const signal = AbortSignal.any([closed.signal, lease.signal]);
    const receive = (): Promise<Uint8Array> => withTimeout(nextBinary(messages), limits.clientTimeoutMs, signal);

    // A run that has ended, its answer lost, is past its last segment.
    if (resume) send({ type: 'resumed', segment: Math.min(waitingRun(lease).segment, manifest.segments - 1) });
    else {
      const inputs = decodeFrame(await receive(), { kind: 'inputs', segment: 0, count: ciphertextsOf(manifest.inputs) });
      lease.run = lease.session.start(inputs, { keepMs: limits.resumeMs });
    }
    const result = await waitingRun(lease).proceed({
      signal,
      onProgress: send,
      async refresh(ciphertexts, { segment }) {
        socket.send(encodeFrame({ kind: 'refresh', segment, ciphertexts }));
        return decodeFrame(await receive(), { kind: 'refreshed', segment, count: ciphertexts.length });
      },
    });
    socket.send(encodeFrame({ kind: 'outputs', segment: 0, ciphertexts: result.outputs }));
    const { layers, evaluateMs, refreshMs, refreshes } = result; // a layer folded into others has no level
    send({ type: 'done', layers: layers.filter(({ fromLevel }) => fromLevel >= 0), evaluateMs, refreshMs, refreshes });
    socket.close(CLOSE_NORMAL);
  } catch (error) {
    // Silence may be a lost connection that nobody has noticed yet; any other failure ends the question.
    if (lease !== undefined && !closed.signal.aborted && !lease.signal.aborted && codeOf(error) !== 'TIMEOUT') lease.run = undefined;
    if (socket.readyState === socket.OPEN) {
      send({ type: 'failed', code: codeOf(error) ?? 'INTERNAL', message: codeOf(error) === undefined ? 'internal error' : oneLine(error) });
      socket.close(CLOSE_FAILED);
    }
  } finally {
    lease?.release();
  }
}

/** @throws DemoError UNKNOWN_RUN. */
function waitingRun({ run }: Lease): Run {
  if (run !== undefined && run.state === 'ready') return run;
  throw new DemoError('UNKNOWN_RUN', 'the server has nothing left of the interrupted question: ask it again');
}

function ciphertextsOf(layouts: readonly { readonly ciphertexts: number }[]): number {
  return layouts.reduce((sum, layout) => sum + layout.ciphertexts, 0);
}

async function nextBinary(messages: AsyncIterator<unknown[]>): Promise<Uint8Array> {
  const { value } = await messages.next();
  const [data, isBinary] = value as [RawData, boolean]; // what ws passes to 'message' listeners
  if (!isBinary || !Buffer.isBuffer(data)) throw new DemoError('PROTOCOL', 'a text message came where a binary one is expected');
  return data;
}

/** @throws DemoError TIMEOUT, or the reason of `signal`. */
async function withTimeout<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  work.catch(() => {}); // may lose the race, and then nobody else would handle it
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  const timer = setTimeout(() => reject(new DemoError('TIMEOUT', `the client has not answered within ${ms / 1000} s`)), ms);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

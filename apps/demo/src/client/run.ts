import { on } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { type RawData, WebSocket } from 'ws';
import { DemoError } from '../errors.js';
import { decodeFrame, encodeFrame, maxFrameBytes } from '../protocol/frame.js';
import { parseJson, type RunEvent, runEvent } from '../protocol/messages.js';
import { unreachable } from './http.js';

export interface RunRequest {
  /** ws: or wss: address of the session's `run` route. */
  readonly url: URL;
  readonly inputs: readonly Uint8Array[];
  /** Ciphertexts of the outputs, and of each round of refreshes: what the manifest promised. */
  readonly outputCount: number;
  readonly refreshCounts: readonly number[];
  readonly ciphertextBytes: number;
  readonly refresh: (ciphertexts: readonly Uint8Array[]) => readonly Uint8Array[];
  readonly onEvent: (event: RunEvent) => void;
  /** The connection was lost; the run goes on from where it was. */
  readonly onReconnect: (attempt: number) => void;
  readonly signal: AbortSignal;
}

export interface RunReply {
  readonly outputs: readonly Uint8Array[];
  readonly done: Extract<RunEvent, { type: 'done' }>;
  /** Payload bytes of this question; evaluation keys went out before. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
}

/** What survives the connection. */
interface Progress {
  /** Round of refreshes that comes next. */
  segment: number;
  /** Whether a connection was ever open: until then a failure is final. */
  reached: boolean;
  /** Whether the server has our inputs, as far as we know. */
  started: boolean;
  upload: number;
  download: number;
}

/** Connections lost in a row, without a round in between, before the question is given up. */
const MOST_LOSSES = 5;
const FIRST_DELAY_MS = 100;

/**
 * One question: sends the inputs, answers each refresh, collects the outputs. Messages are accepted only in the order that the manifest
 * fixes, so a server cannot have other ciphertexts refreshed than it said. When the connection is lost, it goes on over another one.
 * @throws DemoError SERVER_UNREACHABLE, SERVER_REFUSED, PROTOCOL, or the reason of `signal`.
 */
export async function runQuestion(request: RunRequest): Promise<RunReply> {
  const progress: Progress = { segment: 0, reached: false, started: false, upload: 0, download: 0 };
  for (let losses = 0; ; ) {
    const before = progress.segment;
    try {
      return await connectOnce(request, progress);
    } catch (error) {
      request.signal.throwIfAborted();
      if (!(error instanceof DemoError) || !progress.reached) throw error;
      if (error.code === 'UNKNOWN_RUN') Object.assign(progress, { segment: 0, started: false });
      else if (error.code !== 'SERVER_UNREACHABLE') throw error;
      losses = progress.segment > before ? 1 : losses + 1;
      if (losses > MOST_LOSSES) throw error;
    }
    request.onReconnect(losses);
    await setTimeout(FIRST_DELAY_MS * 2 ** (losses - 1), undefined, { signal: request.signal }).catch(() =>
      request.signal.throwIfAborted(),
    );
  }
}

async function connectOnce(request: RunRequest, progress: Progress): Promise<RunReply> {
  const { url, signal, onEvent, refreshCounts, outputCount } = request;
  signal.throwIfAborted();
  const maxPayload = maxFrameBytes(Math.max(outputCount, ...refreshCounts, 1), request.ciphertextBytes) + (1 << 20);
  const resume = progress.started;
  const socket = new WebSocket(resume ? new URL('?resume', url) : url, { perMessageDeflate: false, maxPayload });
  const send = (bytes: Uint8Array): void => {
    progress.upload += bytes.length;
    socket.send(bytes);
  };
  try {
    const messages = on(socket, 'message', { signal, close: ['close'] });
    socket.once('open', () => {
      progress.reached = true;
      if (!resume) send(encodeFrame({ kind: 'inputs', segment: 0, ciphertexts: request.inputs }));
    });
    let resumed = !resume;
    let outputs: readonly Uint8Array[] | undefined;
    for await (const message of messages) {
      const [data, isBinary] = message as [RawData, boolean]; // what ws passes to 'message' listeners
      if (!Buffer.isBuffer(data)) throw new DemoError('PROTOCOL', 'a fragmented message arrived');
      progress.download += data.length;
      if (isBinary && !resumed) throw new DemoError('PROTOCOL', 'the server does not say where it goes on: use the same version');
      if (isBinary && progress.segment < refreshCounts.length) {
        const { segment } = progress;
        const ciphertexts = decodeFrame(data, { kind: 'refresh', segment, count: refreshCounts[segment] ?? 0 });
        send(encodeFrame({ kind: 'refreshed', segment, ciphertexts: request.refresh(ciphertexts) }));
        progress.segment++;
      } else if (isBinary) {
        outputs = decodeFrame(data, { kind: 'outputs', segment: 0, count: outputCount });
      } else {
        const event = parseJson(runEvent, data.toString());
        if (event.type === 'failed') throw new DemoError(event.code === 'UNKNOWN_RUN' ? 'UNKNOWN_RUN' : 'SERVER_REFUSED', event.message);
        if (event.type === 'resumed') {
          if (resumed) throw new DemoError('PROTOCOL', 'the server resumes a question that was not interrupted');
          progress.segment = roundAfter(event.segment, progress.segment);
          resumed = true;
        }
        progress.started = true;
        onEvent(event);
        if (event.type === 'done' && outputs !== undefined)
          return { outputs, done: event, uploadBytes: progress.upload, downloadBytes: progress.download };
      }
    }
    throw unreachable(url, new DemoError('SERVER_UNREACHABLE', 'the server closed the connection before it answered: ask again'));
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof DemoError || !isNetworkError(error) ? error : unreachable(url, error);
  } finally {
    socket.on('error', () => {}); // terminating a socket that is still connecting reports an error nobody waits for
    socket.terminate();
  }
}

/** A server may ask again for the last round, whose answer it may not have got, and for no other. @throws DemoError PROTOCOL. */
function roundAfter(resumed: number, expected: number): number {
  if (resumed === expected || resumed === expected - 1) return resumed;
  throw new DemoError('PROTOCOL', `the server goes on at part ${resumed + 1} of a question that was at part ${expected + 1}: ask again`);
}

/** Errors of sockets and of the handshake; anything else (e.g. the backend's) keeps its own words. */
function isNetworkError(error: unknown): boolean {
  return (
    error instanceof Error &&
    (('syscall' in error && error.syscall !== undefined) || /socket|server response|WebSocket/i.test(error.message))
  );
}

import { on } from 'node:events';
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
  readonly signal: AbortSignal;
}

export interface RunReply {
  readonly outputs: readonly Uint8Array[];
  readonly done: Extract<RunEvent, { type: 'done' }>;
  /** Payload bytes of this question; evaluation keys went out before. */
  readonly uploadBytes: number;
  readonly downloadBytes: number;
}

/**
 * One question: sends the inputs, answers each refresh, collects the outputs. Messages are accepted only in the order that the manifest
 * fixes, so a server cannot have other ciphertexts refreshed than it said.
 * @throws DemoError SERVER_UNREACHABLE, SERVER_REFUSED, PROTOCOL, or the reason of `signal`.
 */
export async function runQuestion(request: RunRequest): Promise<RunReply> {
  const { url, signal, onEvent, refreshCounts, outputCount } = request;
  signal.throwIfAborted();
  const maxPayload = maxFrameBytes(Math.max(outputCount, ...refreshCounts, 1), request.ciphertextBytes) + (1 << 20);
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload });
  const traffic = { upload: 0, download: 0 };
  const send = (bytes: Uint8Array): void => {
    traffic.upload += bytes.length;
    socket.send(bytes);
  };
  try {
    const messages = on(socket, 'message', { signal, close: ['close'] });
    socket.once('open', () => send(encodeFrame({ kind: 'inputs', segment: 0, ciphertexts: request.inputs })));
    let segment = 0;
    let outputs: readonly Uint8Array[] | undefined;
    for await (const message of messages) {
      const [data, isBinary] = message as [RawData, boolean]; // what ws passes to 'message' listeners
      if (!Buffer.isBuffer(data)) throw new DemoError('PROTOCOL', 'a fragmented message arrived');
      traffic.download += data.length;
      if (isBinary && segment < refreshCounts.length) {
        const ciphertexts = decodeFrame(data, { kind: 'refresh', segment, count: refreshCounts[segment] ?? 0 });
        send(encodeFrame({ kind: 'refreshed', segment, ciphertexts: request.refresh(ciphertexts) }));
        segment++;
      } else if (isBinary) {
        outputs = decodeFrame(data, { kind: 'outputs', segment: 0, count: outputCount });
      } else {
        const event = parseJson(runEvent, data.toString());
        if (event.type === 'failed') throw new DemoError('SERVER_REFUSED', event.message);
        onEvent(event);
        if (event.type === 'done' && outputs !== undefined)
          return { outputs, done: event, uploadBytes: traffic.upload, downloadBytes: traffic.download };
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

/** Errors of sockets and of the handshake; anything else (e.g. the backend's) keeps its own words. */
function isNetworkError(error: unknown): boolean {
  return (
    error instanceof Error &&
    (('syscall' in error && error.syscall !== undefined) || /socket|server response|WebSocket/i.test(error.message))
  );
}

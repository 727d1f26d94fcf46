import http from 'node:http';
import https from 'node:https';
import type { z } from 'zod';
import { codeOf, DemoError, oneLine } from '../errors.js';
import { errorReply, parseJson } from '../protocol/messages.js';

/** Replies are small JSON; a manifest lists one slot per tensor element. */
const MAX_REPLY_BYTES = 64 << 20;
const CHUNK = 1 << 20;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
  readonly onSent?: (sent: number, total: number) => void;
}

/**
 * One request, its JSON reply validated. Node's http rather than fetch: it tells how much of a large body has gone out.
 * @throws DemoError SERVER_UNREACHABLE, SERVER_REFUSED (with the server's own words), PROTOCOL, or the reason of `signal`.
 */
export async function requestJson<T>(schema: z.ZodType<T>, request: HttpRequest): Promise<T> {
  const { status, text } = await exchange(request);
  if (status >= 200 && status < 300) return parseJson(schema, text);
  const { error } = parseJson(errorReply, text);
  throw new DemoError('SERVER_REFUSED', error.message);
}

/** As {@link requestJson} where no reply is expected. */
export async function requestNothing(request: HttpRequest): Promise<void> {
  await exchange(request);
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

async function exchange({ method, url, body, signal, onSent = () => {} }: HttpRequest): Promise<Reply> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const headers = body === undefined ? {} : { 'content-type': 'application/octet-stream', 'content-length': body.length };
  const request = (url.protocol === 'https:' ? https : http).request(url, { method, headers, agent: false });
  const abort = (): void => {
    request.destroy();
    reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  request.on('error', (cause) => reject(unreachable(url, cause)));
  request.on('response', (response) => {
    readText(response).then(
      (text) => resolve({ status: response.statusCode ?? 0, text }),
      (cause) => reject(unreachable(url, cause)),
    );
  });
  sendBody(request, body, onSent);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function sendBody(request: http.ClientRequest, body: Uint8Array | undefined, onSent: (sent: number, total: number) => void): void {
  const { length } = body ?? [];
  const sendFrom = (at: number): void => {
    if (request.destroyed) return;
    if (body === undefined || at >= length) {
      request.end();
      return;
    }
    const end = Math.min(at + CHUNK, length);
    request.write(body.subarray(at, end), (error) => {
      if (error) return; // 'error' follows
      onSent(end, length);
      sendFrom(end);
    });
  };
  sendFrom(0);
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > MAX_REPLY_BYTES) throw new DemoError('PROTOCOL', 'the reply of the server is too large: check the URL');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was lost',
  ENOTFOUND: 'no such host',
  EPROTO: 'it does not speak TLS, as https needs',
};

/** The network's failure in words. */
export function unreachable(url: URL, cause: unknown): DemoError {
  if (cause instanceof DemoError) return cause;
  const why = WHY[codeOf(cause) ?? ''] ?? oneLine(cause);
  return new DemoError('SERVER_UNREACHABLE', `cannot reach the server at ${url.origin} (${why}): check the address, and that it runs`, {
    cause,
  });
}

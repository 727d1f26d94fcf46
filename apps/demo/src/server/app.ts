import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Server } from 'tfjs-he-backend/server';
import { codeOf, DemoError, type DemoErrorCode, oneLine } from '../errors.js';
import { maxFrameBytes } from '../protocol/frame.js';
import type { ErrorReply, ManifestReply, SessionReply } from '../protocol/messages.js';
import { type RunLimits, serveRun } from './run.js';
import { type Reservation, type SessionLimits, SessionStore } from './sessions.js';
import { checkDeclaredSize, readExactly } from './upload.js';

export interface AppOptions {
  /** Compiled models by name. */
  readonly models: ReadonlyMap<string, Server>;
  readonly limits?: Partial<SessionLimits & RunLimits>;
  readonly now?: () => number;
}

export const DEFAULT_LIMITS: SessionLimits & RunLimits = {
  maxSessions: 4,
  timeToLiveMs: 15 * 60_000,
  clientTimeoutMs: 120_000,
  resumeMs: 60_000,
};

const STATUS: Partial<Record<DemoErrorCode, number>> = {
  UNKNOWN_MODEL: 404,
  UNKNOWN_ROUTE: 404,
  UNKNOWN_SESSION: 404,
  KEYS_SIZE: 413,
  SESSION_BUSY: 409,
  SERVER_BUSY: 503,
  PROTOCOL: 400,
};

/**
 * The routes, not yet listening:
 *
 *   GET    /models/:model           manifest, engine, its threads and size of the keys
 *   POST   /models/:model/sessions  evaluation keys (application/octet-stream) -> session identifier
 *   DELETE /sessions/:session       forget the keys
 *   GET    /sessions/:session/run   WebSocket: one question; with ?resume, the rest of one whose connection was lost
 */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const sessions = new SessionStore(limits, options.now);
  const serverOf = (model: string): Server => {
    const server = options.models.get(model);
    if (server !== undefined) return server;
    throw new DemoError('UNKNOWN_MODEL', `this server has no model '${model}': it has ${[...options.models.keys()].join(', ')}`);
  };

  const app = Fastify({ bodyLimit: 1024, requestTimeout: 10 * 60_000 });
  app.setErrorHandler(replyWithError);
  app.setNotFoundHandler((request) => {
    throw new DemoError('UNKNOWN_ROUTE', `there is no ${request.method} ${request.url}`);
  });
  // Bodies stay streams: the route decides how much it reads.
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  await app.register(websocket, { options: { maxPayload: maxMessageBytes(options.models.values()), perMessageDeflate: false } });

  app.get<{ Params: { model: string } }>('/models/:model', ({ params }): ManifestReply => {
    const { engine, execution, evaluationKeyBytes, manifest } = serverOf(params.model);
    return { model: params.model, engine, threads: execution.threads, evaluationKeyBytes, manifest };
  });

  app.post<{ Params: { model: string } }>('/models/:model/sessions', async ({ params, headers, body }, reply): Promise<SessionReply> => {
    const server = serverOf(params.model);
    checkDeclaredSize(headers['content-length'], server.evaluationKeyBytes);
    if (!(body instanceof Readable)) throw new DemoError('PROTOCOL', 'send the keys as application/octet-stream');
    const reservation = await reserveOrDrain(sessions, body);
    try {
      const session = await server.openSession(await readExactly(body, server.evaluationKeyBytes));
      reply.code(201);
      return { session: reservation.commit(params.model, session), expiresInMs: limits.timeToLiveMs };
    } finally {
      reservation.cancel();
    }
  });

  app.delete<{ Params: { session: string } }>('/sessions/:session', async ({ params }, reply) => {
    sessions.delete(params.session);
    return reply.code(204).send();
  });

  app.get<{ Params: { session: string }; Querystring: { resume?: string } }>(
    '/sessions/:session/run',
    { websocket: true },
    (socket, { params: { session }, query }) => {
      const resume = query.resume !== undefined;
      const takeLease = () => (resume ? sessions.takeOver(session) : sessions.lease(session));
      return serveRun(socket, { takeLease, resume }, serverOf, limits);
    },
  );

  const sweeper = setInterval(() => sessions.sweep(), Math.max(1000, limits.timeToLiveMs / 10)).unref();
  app.addHook('onClose', async () => {
    clearInterval(sweeper);
    sessions.close();
  });
  return app;
}

/** A client reads the refusal of an upload only once it has got rid of the upload. @throws DemoError SERVER_BUSY. */
async function reserveOrDrain(sessions: SessionStore, body: Readable): Promise<Reservation> {
  try {
    return sessions.reserve();
  } catch (error) {
    await finished(body.resume());
    throw error;
  }
}

function replyWithError(error: unknown, _request: unknown, reply: FastifyReply): FastifyReply {
  const code = codeOf(error) ?? 'INTERNAL';
  const status = error instanceof DemoError ? STATUS[error.code] : statusOf(error);
  const body: ErrorReply = { error: { code, message: code === 'INTERNAL' ? 'internal error' : oneLine(error).slice(0, 1000) } };
  return reply.code(status ?? 500).send(body);
}

/** Fastify's own errors carry a status; the backend's WIRE_ errors mean that the client sent nonsense. */
function statusOf(error: unknown): number {
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number') return error.statusCode;
  return codeOf(error)?.startsWith('WIRE_') ? 400 : 500;
}

/** Largest message a client has reason to send. A residue takes at most 8 bytes; a ciphertext has two polynomials. */
function maxMessageBytes(servers: Iterable<Server>): number {
  const sizes = [...servers].map(({ manifest: { parameters, inputs, refreshes } }) => {
    const ciphertextBytes = 2 * parameters.polyModulusDegree * 8 * parameters.coeffModulus.length + 1024;
    const count = Math.max(
      inputs.reduce((sum, { ciphertexts }) => sum + ciphertexts, 0),
      ...refreshes,
    );
    return maxFrameBytes(count, ciphertextBytes);
  });
  return Math.max(1024, ...sizes);
}

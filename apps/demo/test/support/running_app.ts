import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ServerEngine } from 'tfjs-he-backend/server';
import { type AppOptions, createApp } from '../../src/server/app.js';
import { tinyServer } from './tiny_model.js';

export interface RunningApp extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly url: URL;
}

/** The tiny model served on a free loopback port. */
export async function runningApp(engine: ServerEngine = 'mock', options: Partial<AppOptions> = {}): Promise<RunningApp> {
  const app = await createApp({ models: new Map([['tiny', await tinyServer(engine)]]), ...options });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { app, url: new URL(`http://127.0.0.1:${port}/`), [Symbol.asyncDispose]: () => app.close() };
}

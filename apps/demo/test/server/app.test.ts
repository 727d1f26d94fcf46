import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { type Client, createClient, pack } from 'tfjs-he-backend/client';
import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/protocol/frame.js';
import { createApp } from '../../src/server/app.js';
import { tinyClassifier, tinyServer } from '../support/tiny_model.js';

let app: FastifyInstance;
let client: Client;
let keys: Uint8Array;

const octets = { 'content-type': 'application/octet-stream' };
const upload = (payload: Uint8Array, model = 'tiny') =>
  app.inject({ method: 'POST', url: `/models/${model}/sessions`, headers: octets, payload: Buffer.from(payload) });
const openSession = async (): Promise<string> => (await upload(keys)).json().session;
const inputs = () => client.encrypt(pack(tinyClassifier.embed('hello'), client.manifest.inputs[0]!, client.parameters.slots));
const inputFrame = () => encodeFrame({ kind: 'inputs', segment: 0, ciphertexts: inputs() });

beforeAll(async () => {
  app = await createApp({ models: new Map([['tiny', await tinyServer()]]), limits: { clientTimeoutMs: 1500 } });
  await app.listen({ host: '127.0.0.1', port: 0 });
  client = await createClient((await app.inject('/models/tiny')).json().manifest, { engine: 'mock' });
  keys = await client.evaluationKeys();
});
afterAll(() => app.close());

describe('HTTP routes', () => {
  test('describe a model', async () => {
    const reply = await app.inject('/models/tiny');
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({
      model: 'tiny',
      engine: 'mock',
      threads: 1,
      evaluationKeyBytes: keys.length,
      manifest: { format: 'he-manifest' },
    });
  });

  test('take keys and give a session', async () => {
    const reply = await upload(keys);
    expect(reply.statusCode).toBe(201);
    expect(reply.json()).toEqual({ session: expect.stringMatching(/^[\w-]{22}$/), expiresInMs: 15 * 60_000 });
  });

  test.each([
    ['an unknown model', () => app.inject('/models/gpt'), 404, 'UNKNOWN_MODEL'],
    ['keys for an unknown model', () => upload(keys, 'gpt'), 404, 'UNKNOWN_MODEL'],
    ['an unknown route', () => app.inject('/nowhere'), 404, 'UNKNOWN_ROUTE'],
    ['too few bytes of keys', () => upload(keys.subarray(1)), 413, 'KEYS_SIZE'],
    ['too many bytes of keys', () => upload(Buffer.concat([keys, keys])), 413, 'KEYS_SIZE'],
    ['keys that are none', () => upload(new Uint8Array(keys.length)), 400, 'WIRE_MALFORMED'],
    [
      'keys in another media type',
      () => app.inject({ method: 'POST', url: '/models/tiny/sessions', headers: { 'content-type': 'image/png' }, payload: 'x' }),
      415,
      'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    ],
  ])('answer %s with a typed error', async (_what, request, status, code) => {
    const reply = await request();
    expect(reply.statusCode).toBe(status);
    expect(reply.json()).toEqual({ error: { code, message: expect.any(String) } });
  });

  test('forget a session', async () => {
    const session = await openSession();
    expect((await app.inject({ method: 'DELETE', url: `/sessions/${session}` })).statusCode).toBe(204);
    expect(await failure(session, inputFrame())).toMatchObject({ code: 'UNKNOWN_SESSION' });
  });
});

describe('with one place for sessions', () => {
  let small: FastifyInstance;
  let port: number;
  beforeAll(async () => {
    small = await createApp({ models: new Map([['tiny', await tinyServer()]]), limits: { maxSessions: 1 } });
    await small.listen({ host: '127.0.0.1', port: 0 });
    ({ port } = small.server.address() as AddressInfo);
  });
  afterAll(() => small.close());
  const post = () => fetch(`http://127.0.0.1:${port}/models/tiny/sessions`, { method: 'POST', headers: octets, body: Buffer.from(keys) });

  test('a client that disconnects during its upload gives its place back', async () => {
    const upload = net.connect(port, '127.0.0.1');
    upload.write(
      `POST /models/tiny/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: ${keys.length}\r\n\r\n`,
    );
    upload.write(keys.subarray(0, 8));
    let reply = await post();
    while (reply.status === 201) reply = await post(); // until the server has seen the upload begin
    expect(reply.status).toBe(503);
    expect(await reply.json()).toMatchObject({ error: { code: 'SERVER_BUSY' } });
    upload.destroy();
    while (reply.status === 503) reply = await post();
    expect(reply.status).toBe(201);
  });
});

describe('run socket', () => {
  test('reports layers, asks for a refresh and returns outputs', async () => {
    const { socket } = await connect(await openSession());
    const received: string[] = [];
    socket.on('message', (data, isBinary) => {
      received.push(isBinary ? `binary ${(data as Buffer)[4]}` : JSON.parse(String(data)).type);
      if (isBinary && (data as Buffer)[4] === 2) {
        const ciphertext = (data as Buffer).subarray(16);
        socket.send(encodeFrame({ kind: 'refreshed', segment: 0, ciphertexts: client.refresh([ciphertext]) }));
      }
    });
    socket.send(inputFrame());
    await once(socket, 'close');
    expect(received.filter((type) => !/^(layer|layerEnd|progress)$/.test(type))).toEqual(['refresh', 'binary 2', 'binary 4', 'done']);
    expect(received).toContain('layer');
  });

  test.each([
    ['nothing in time', undefined, 'TIMEOUT'],
    ['random bytes', Uint8Array.of(1, 2, 3), 'PROTOCOL'],
    ['text', 'hello', 'PROTOCOL'],
    ['a frame of damaged ciphertexts', encodeFrame({ kind: 'inputs', segment: 0, ciphertexts: [new Uint8Array(100)] }), 'WIRE_MALFORMED'],
  ])('answers %s with a typed error', async (_what, message, code) => {
    expect(await failure(await openSession(), message)).toEqual({ type: 'failed', code, message: expect.any(String) });
  });

  test('refuses a session that does not exist', async () => {
    expect(await failure('nonexistent', inputFrame())).toMatchObject({ code: 'UNKNOWN_SESSION' });
  });

  test('refuses a second run of a session, and allows one after the first has been abandoned', async () => {
    const session = await openSession();
    const { socket: first } = await connect(session);
    expect(await failure(session, inputFrame())).toMatchObject({ code: 'SESSION_BUSY' });
    first.terminate();
    let code: unknown = 'SESSION_BUSY';
    while (code === 'SESSION_BUSY') ({ code } = (await failure(session, 'not a frame')) as { code: unknown });
    expect(code).toBe('PROTOCOL');
  });

  test('cuts off a message larger than any it has asked for, and goes on serving', async () => {
    const { socket } = await connect(await openSession());
    socket.send(new Uint8Array(8 << 20));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
    expect((await app.inject('/models/tiny')).statusCode).toBe(200);
  });

  test('ends a run that waits for a refresh that does not come', async () => {
    expect(await failure(await openSession(), inputFrame())).toMatchObject({ code: 'TIMEOUT' });
  });
});

/** An open socket that keeps the events it receives. */
async function connect(session: string): Promise<{ socket: WebSocket; events: unknown[] }> {
  const { port } = app.server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sessions/${session}/run`);
  const events: unknown[] = [];
  socket.on('message', (data, isBinary) => {
    if (!isBinary) events.push(JSON.parse(String(data)));
  });
  await once(socket, 'open');
  return { socket, events };
}

/** Sends one message and resolves to the event before the server closed. */
async function failure(session: string, message: Uint8Array | string | undefined): Promise<unknown> {
  const { socket, events } = await connect(session);
  if (message !== undefined && socket.readyState === socket.OPEN) socket.send(message);
  if (socket.readyState !== socket.CLOSED) await once(socket, 'close');
  return events.at(-1);
}

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ProgressEvent } from '../../src/executor/types.js';
import type { TensorNode } from '../../src/graph/node.js';
import { evaluateGraph, type Program } from '../../src/index.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

const SHAPE = { tokens: 2, heads: 2, headDim: 2, labels: 3 };
const x = randomValues(8, 5);
let graph: TensorNode[];
let program: Program;

beforeAll(async () => {
  graph = await traceAttention(SHAPE);
  program = compileSmall(graph);
});

for (const engine of ['mock', 'seal', 'simd'] as const) {
  describe(`a program on ${engine}`, () => {
    let pair: Awaited<ReturnType<typeof openPair>>;
    beforeAll(async () => {
      pair = await openPair(program, engine);
    });
    afterAll(() => pair.dispose());

    test('agrees with the clear graph to 12 bits', async () => {
      const [expected] = evaluateGraph(graph, new Map([['input', x]]));
      expect(bitsOfAgreement(await pair.infer(x), expected!)).toBeGreaterThan(12);
    });

    const repeats = engine === 'mock' ? 20 : 4;
    test(`${repeats} inferences leave the handle ledger where the first left it`, async () => {
      await pair.infer(x);
      const before = pair.session.ledger.total();
      const client = pair.client.ledger.total();
      for (let i = 0; i < repeats; i++) await pair.infer(randomValues(8, i + 1));
      expect(pair.session.ledger.total()).toEqual(before);
      expect(pair.client.ledger.total()).toEqual(client);
    });

    test('reports layers in order and every refresh round', async () => {
      const events: ProgressEvent[] = [];
      await pair.infer(x, { onProgress: (event) => events.push(event) });
      expect(events.filter((event) => event.type === 'refresh').length).toBe(program.segments.length - 1);
      const done = events.flatMap((event) => (event.type === 'layer' ? [event.done] : []));
      expect(done).toEqual([...done].sort((a, b) => a - b));
    });

    test('an abort ends the run with ABORTED and releases its ciphertexts', async () => {
      const before = pair.session.ledger.of('ciphertext');
      const controller = new AbortController();
      const run = pair.infer(x, { signal: controller.signal, onProgress: () => controller.abort() });
      await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
      expect(pair.session.ledger.of('ciphertext')).toEqual(before);
    });

    test('an abort while a client does not answer ends the run', async () => {
      const controller = new AbortController();
      const never = () => {
        controller.abort();
        return new Promise<Uint8Array[]>(() => {});
      };
      await expect(pair.infer(x, { signal: controller.signal, refresh: never })).rejects.toMatchObject({ code: 'ABORTED', op: 'refresh' });
    });

    test('a refresh round answered with too few ciphertexts is refused', async () => {
      await expect(pair.infer(x, { refresh: async () => [] })).rejects.toMatchObject({ code: 'WIRE_MALFORMED', op: 'refresh' });
    });

    test('a refresh answered with garbage is refused before native code sees it', async () => {
      const run = pair.infer(x, { refresh: async (ciphertexts) => ciphertexts.map((c) => new Uint8Array(c.length)) });
      await expect(run).rejects.toMatchObject({ code: expect.stringMatching(/^WIRE_/) });
    });

    test('a missing input is refused', async () => {
      await expect(pair.session.run([], { refresh: async () => [] })).rejects.toMatchObject({ code: 'WIRE_MALFORMED', op: 'run' });
    });
  });
}

describe('a server', () => {
  test('prepare encodes every constant, so that the first run encodes none', async () => {
    const pair = await openPair(program, 'mock');
    const seen: number[] = [];
    await pair.server.prepare({ onProgress: (done, total) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    const before = pair.session.ledger.of('plaintext');
    await pair.infer(x);
    expect(pair.session.ledger.of('plaintext')).toEqual(before);
    pair.dispose();
  });

  test('a session that has been disposed of takes no more runs', async () => {
    const pair = await openPair(program, 'mock');
    const saved = pair.session.start(pair.encrypt(x)).save();
    pair.session.dispose();
    const refused = { code: 'RUN_UNAVAILABLE', message: expect.stringContaining('disposed of') };
    await expect(pair.infer(x)).rejects.toMatchObject(refused);
    expect(() => pair.session.restore(saved)).toThrow(expect.objectContaining(refused));
    expect(() => pair.session.sequence([])).toThrow(expect.objectContaining(refused));
    pair.dispose();
  });

  test('a session that is disposed of while a run evaluates ends it, and releases its ciphertexts', async () => {
    const pair = await openPair(program, 'simd');
    const onProgress = (event: ProgressEvent) => event.type === 'layerEnd' && pair.session.dispose();
    await expect(pair.infer(x, { onProgress })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(pair.session.ledger.of('ciphertext')).toEqual({ count: 0, bytes: 0 });
    expect(pair.session.ledger.of('key')).toEqual({ count: 0, bytes: 0 });
    pair.dispose();
  });

  test('keys that are refused leave room for others', async () => {
    const pair = await openPair(program, 'simd');
    await expect(pair.server.openSession(pair.keys.slice(1))).rejects.toMatchObject({ code: expect.stringMatching(/^WIRE_/) });
    const before = pair.session.ledger.of('key');
    const other = await pair.server.openSession(pair.keys);
    other.dispose();
    expect(pair.session.ledger.of('key')).toEqual(before);
    pair.dispose();
  });

  test('an aborted prepare throws ABORTED', async () => {
    const pair = await openPair(program, 'mock');
    await expect(pair.server.prepare({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    pair.dispose();
  });

  test('masks never repeat: the same input is refreshed through different bytes', async () => {
    const pair = await openPair(program, 'seal');
    const seen: string[] = [];
    const refresh = async (ciphertexts: Uint8Array[]) => {
      seen.push(Buffer.from(ciphertexts[0]!).toString('base64'));
      return pair.client.refresh(ciphertexts);
    };
    const encrypted = pair.encrypt(x);
    for (let i = 0; i < 2; i++) await pair.session.run(encrypted, { refresh });
    pair.dispose();
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('nor do they when a server starts again with the same mask key', async () => {
    const maskKey = new Uint8Array(32).fill(9);
    const seen: string[] = [];
    for (let start = 0; start < 2; start++) {
      const pair = await openPair(program, 'mock', { maskKey });
      const refresh = async (ciphertexts: Uint8Array[]) => {
        seen.push(...ciphertexts.map((frame) => Buffer.from(frame).toString('base64')));
        return pair.client.refresh(ciphertexts);
      };
      await pair.infer(x, { refresh });
      pair.dispose();
    }
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test.each(['mock', 'seal', 'simd'] as const)('of engine %s disposes of its sessions', async (engine) => {
    const { server, session, encrypt, client } = await openPair(program, engine);
    const waiting = session.start(encrypt(x));
    server.dispose();
    expect(session.ledger.total()).toEqual({ count: 0, bytes: 0 });
    expect(waiting.state).toBe('gone');
    expect(() => session.start(encrypt(x))).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
    session.dispose();
    expect(session.ledger.total()).toEqual({ count: 0, bytes: 0 });
    client.dispose();
  });

  test('disposing client, session and server brings both ledgers to zero', async () => {
    const pair = await openPair(program, 'seal');
    await pair.infer(x);
    pair.dispose();
    expect(pair.session.ledger.total()).toEqual({ count: 0, bytes: 0 });
    expect(pair.client.ledger.total()).toEqual({ count: 0, bytes: 0 });
  });
});

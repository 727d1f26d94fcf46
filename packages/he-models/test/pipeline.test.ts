import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EmptyTextError, InputError, NotConnectedError, TextTooLongError, UnknownTaskError, UnknownTextError } from '../src/errors.js';
import { type Fhe, HeModelClient, HeModelServer, loadClearModel, openLocalPair, type ProgressInfo, pipeline } from '../src/index.js';
import { startWasm } from '../src/train/wasm.js';
import { writeTinyModel } from './tiny_model.js';

let folder: string;

beforeAll(async () => {
  await startWasm();
  folder = await mkdtemp(join(tmpdir(), 'he-models-pipeline-'));
  await writeTinyModel(folder);
});
afterAll(() => rm(folder, { recursive: true }));

describe('pipeline', () => {
  test.each(['disable', 'simulate', 'execute'] as const)('classifies with fhe: %s', async (fhe: Fhe) => {
    const classify = await pipeline('text-classification', folder, { fhe });
    const results = await classify(['it is red', 'so very green', 'blue']);
    expect(results.map(([best]) => best?.label)).toEqual(['RED', 'GREEN', 'BLUE']);
    expect(classify.engine).toBe({ disable: undefined, simulate: 'mock', execute: 'simd' }[fhe]);
    classify.dispose();
  });

  test('returns the top_k labels, best first, with scores of a softmax', async () => {
    const classify = await pipeline('text-classification', folder, { fhe: 'disable' });
    const ranked = await classify('it is green', { top_k: 3 });
    expect(ranked[0]?.label).toBe('GREEN');
    expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).sort((a, b) => b - a));
    expect(ranked.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
    classify.dispose();
  });

  test('runs the shipped model, by default for its task', async () => {
    const classify = await pipeline('text-classification', null, { fhe: 'disable' });
    expect(classify.model).toBe('power-banking77');
    expect((await classify('My card was stolen, please block it'))[0]?.label).toBe('lost_or_stolen_card');
    classify.dispose();
  });

  test('reports files, compilation, keys and that it is ready, in this order', async () => {
    const events: ProgressInfo[] = [];
    const options = { fhe: 'simulate', progress_callback: (event: ProgressInfo) => events.push(event) } as const;
    (await pipeline('text-classification', folder, options)).dispose();
    const firsts = [...new Set(events.map(({ status }) => status))];
    expect(firsts).toEqual(['initiate', 'download', 'progress', 'done', 'compile', 'keys', 'encode', 'ready']);
  });

  test('refuses an unknown task with the list of tasks', async () => {
    // @ts-expect-error not a task
    await expect(pipeline('translation', folder)).rejects.toThrow('text-classification, signal-classification, image-classification');
  });

  test('refuses a model for another task', async () => {
    await expect(pipeline('image-classification', folder)).rejects.toThrow(UnknownTaskError);
  });

  test.each([
    ['nothing', ' ', EmptyTextError],
    ['too many words', 'red '.repeat(7), TextTooLongError],
    ['a language it does not know', '犬が好きです', UnknownTextError],
    ['numbers', [1, 2, 3], InputError],
  ])('refuses %s, and goes on', async (_, input, error) => {
    const classify = await pipeline('text-classification', folder, { fhe: 'disable' });
    await expect(classify(input as string)).rejects.toThrow(error);
    expect((await classify('red'))[0]?.label).toBe('RED');
    classify.dispose();
  });

  test('stops a run with the reason of its signal, and goes on', async () => {
    const classify = await pipeline('text-classification', folder, { fhe: 'simulate' });
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(new Error('enough'));
    await expect(classify('it is red', { signal: controller.signal, onProgress })).rejects.toThrow('enough');
    expect((await classify('it is red'))[0]?.label).toBe('RED');
    classify.dispose();
  });

  test('stops compiling with the reason of its signal', async () => {
    const controller = new AbortController();
    const progress_callback = ({ status }: ProgressInfo): void => {
      if (status === 'compile') controller.abort(new Error('enough'));
    };
    const loading = pipeline('text-classification', folder, { fhe: 'simulate', signal: controller.signal, progress_callback });
    await expect(loading).rejects.toThrow('enough');
  });
});

describe('client and server apart', () => {
  test('need nothing but the manifest, the keys and ciphertexts', async () => {
    const server = await HeModelServer.from_pretrained(folder, { fhe: 'simulate', seed: 1 });
    const client = await HeModelClient.from_pretrained(folder);
    const keys = await client.connect(JSON.parse(JSON.stringify(server.manifest)), { fhe: 'simulate', seed: 2 });
    const session = await server.openSession(keys);
    const { outputs } = await session.run(client.encrypt('so very blue'), { refresh: async (sent) => client.refresh(sent) });
    const clear = await loadClearModel(folder);
    const expected = clear.logits(client.embed('so very blue'));
    const logits = client.decrypt(outputs);
    expect(Math.max(...logits.map((logit, i) => Math.abs(logit - expected[i]!)))).toBeLessThan(1e-3);
    expect(client.classify(logits)[0]?.label).toBe('BLUE');
    for (const part of [session, server, client, clear]) part.dispose();
  });

  test.each(['disable', 'simulate'] as const)('a pipeline with fhe: %s that has been disposed of, once or twice, says so', async (fhe) => {
    const classify = await pipeline('text-classification', folder, { fhe });
    classify.dispose();
    classify.dispose();
    await expect(classify('red')).rejects.toThrow(NotConnectedError);
  });

  test('a client without keys says so', async () => {
    const client = await HeModelClient.from_pretrained(folder);
    expect(() => client.encrypt('red')).toThrow(NotConnectedError);
  });

  test('the server tells its depth and default parameters', async () => {
    const server = await HeModelServer.from_pretrained(folder, { fhe: 'simulate' });
    expect(server.profile().depth).toBe(server.he.depth);
    expect(server.he).toMatchObject({ tokens: 6, parameters: { securityBits: 128 } });
    server.dispose();
  });

  test('a pair counts what a run takes', async () => {
    const pair = await openLocalPair(await HeModelClient.from_pretrained(folder), folder, { fhe: 'simulate' });
    const { refreshes, uploadBytes, downloadBytes, totalMs, layers } = await pair.infer('red');
    expect(refreshes).toBe(pair.server.profile().refreshes);
    expect(Math.min(uploadBytes, downloadBytes, totalMs, pair.keyBytes, layers.length)).toBeGreaterThan(0);
    pair.dispose();
  });
});

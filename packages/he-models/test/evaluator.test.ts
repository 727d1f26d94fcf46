import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  HeModelClient,
  HeModelServer,
  measureAgreement,
  openLocalPair,
  type PairOptions,
  pipeline,
  type ServerLoadOptions,
} from '../src/index.js';
import { startWasm } from '../src/train/wasm.js';
import { writeTinyModel } from './tiny_model.js';

let folder: string;

beforeAll(async () => {
  await startWasm();
  folder = await mkdtemp(join(tmpdir(), 'he-models-evaluator-'));
  await writeTinyModel(folder);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  jest.restoreAllMocks();
});

/** What a server says of its evaluator. */
async function evaluatorOf(options: ServerLoadOptions) {
  const server = await HeModelServer.from_pretrained(folder, options);
  const { engine, execution } = server;
  server.dispose();
  return { engine, ...execution };
}

/** A local pair's answer. */
async function labelOf(options: PairOptions): Promise<string | undefined> {
  const pair = await openLocalPair(await HeModelClient.from_pretrained(folder), folder, options);
  const { logits } = await pair.infer('it is blue');
  pair.dispose();
  return pair.client.classify(logits)[0]?.label;
}

describe('the evaluator', () => {
  test('is simd with two threads by default, or with as many as there are cores', async () => {
    const threads = Math.min(2, navigator.hardwareConcurrency);
    expect(await evaluatorOf({})).toMatchObject({ engine: 'simd', threads, kernels: expect.stringMatching(/fused|plain/) });
  });

  test('has one thread on a machine with one core', async () => {
    jest.spyOn(navigator, 'hardwareConcurrency', 'get').mockReturnValue(1);
    expect(await evaluatorOf({})).toMatchObject({ engine: 'simd', threads: 1 });
  });

  test('has the threads that are asked for', async () => {
    expect(await evaluatorOf({ threads: 1 })).toMatchObject({ threads: 1 });
    const { kernels, threads } = await evaluatorOf({ threads: 3 });
    expect(threads).toBe(kernels === 'fused' ? 3 : 1);
    await expect(evaluatorOf({ threads: 0 })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID' });
  });

  test('is seal where the runtime has no WebAssembly SIMD, and the pipeline says so', async () => {
    const { validate } = WebAssembly;
    // Kernels are modules of some kilobytes; SEAL's probe has some bytes.
    jest.spyOn(WebAssembly, 'validate').mockImplementation((bytes) => bytes.byteLength < 1000 && validate(bytes));
    const classify = await pipeline('text-classification', folder);
    expect([classify.engine, classify.execution]).toEqual(['seal', { threads: 1 }]);
    expect((await classify('so very green'))[0]?.label).toBe('GREEN');
    classify.dispose();
  });

  test('is nobody in the clear', async () => {
    const { engine, execution, dispose } = await pipeline('text-classification', folder, { fhe: 'disable' });
    expect([engine, execution]).toEqual([undefined, undefined]);
    dispose();
  });

  test('is told by reports of agreement', async () => {
    const report = await measureAgreement(folder, [{ input: 'red', label: 'RED' }], { fhe: 'simulate' });
    expect(report).toMatchObject({ engine: 'mock', execution: { threads: 1 } });
  });

  test('shares a run among workers', async () => {
    expect(await labelOf({ fhe: 'simulate', workers: 1 })).toBe('BLUE');
  });

  test('re-randomises what leaves', async () => {
    expect(await labelOf({ fhe: 'simulate', rerandomize: { floodBits: 4 } })).toBe('BLUE');
  });

  test('keeps to the memory that it is given', async () => {
    await expect(evaluatorOf({ memoryBytes: 1000 })).rejects.toMatchObject({ code: 'MEMORY_BUDGET' });
  });
});

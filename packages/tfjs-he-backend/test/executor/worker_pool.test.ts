import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, pack, unpack } from '../../src/client/index.js';
import { schedule } from '../../src/executor/schedule.js';
import type { ProgressEvent, RunOptions } from '../../src/executor/types.js';
import type { TensorNode } from '../../src/graph/node.js';
import { evaluateGraph, type Program } from '../../src/index.js';
import { createServer, type Server, type Session } from '../../src/server/index.js';
import { traceAttention } from '../support/attention.js';
import { bundleWorker } from '../support/bundle_worker.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openClient, openPair } from '../support/session.js';
import { expectedOutputs, largestError, STATE, traceShiftRegister, WIDTH } from '../support/shift_register.js';
import { compileSmall } from '../support/small_ring.js';

let worker: Awaited<ReturnType<typeof bundleWorker>>;
let graph: TensorNode[];
let program: Program;
beforeAll(async () => {
  worker = await bundleWorker();
  graph = await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 3 });
  program = compileSmall(graph);
});
afterAll(() => worker.remove());
const x = randomValues(8, 5);

describe.each(['mock', 'seal', 'simd'] as const)('two workers with the %s engine', (engine) => {
  let client: Client;
  let server: Server;
  let session: Session;
  beforeAll(async () => {
    client = await openClient(program, engine);
    server = await createServer(program, { engine, workers: { count: 2, url: worker.url } });
    session = await server.openSession(await client.evaluationKeys());
  });
  afterAll(() => {
    session.dispose();
    server.dispose();
    client.dispose();
  });
  const encrypt = () => client.encrypt(pack(x, server.manifest.inputs[0]!, client.parameters.slots));
  const refresh: RunOptions['refresh'] = async (ciphertexts) => client.refresh(ciphertexts);
  const expectAnswer = (outputs: readonly Uint8Array[]) => {
    const [expected] = evaluateGraph(graph, new Map([['input', x]]));
    const actual = unpack(client.decrypt(outputs), server.manifest.outputs[0]!, client.parameters.slots);
    expect(bitsOfAgreement(actual, expected!)).toBeGreaterThan(10);
  };

  test('agree with the clear graph, report every layer, and leave nothing behind', async () => {
    await server.prepare();
    const before = session.ledger.of('ciphertext');
    const layers = new Set<string>();
    const onProgress = (event: ProgressEvent) => event.type === 'layer' && layers.add(event.name);
    const result = await session.run(encrypt(), { refresh, onProgress });
    expectAnswer(result.outputs);
    expect(layers).toEqual(new Set(program.layers));
    expect(session.ledger.of('ciphertext')).toEqual(before);
  });

  test('refuse damaged keys with the error of the engine', async () => {
    const keys = await client.evaluationKeys();
    keys[0]! ^= 1;
    await expect(server.openSession(keys)).rejects.toMatchObject({ code: 'WIRE_MALFORMED' });
  });

  test('refuse keys as SEAL saves them', async () => {
    const keys = { relinKeys: new Uint8Array(16), galoisKeys: new Uint8Array(16) };
    await expect(server.openSession(keys)).rejects.toMatchObject({ code: 'WIRE_UNSUPPORTED' });
  });

  // What does not depend on the engine.
  if (engine === 'mock') {
    test('answer two questions at a time', async () => {
      const results = await Promise.all([session.run(encrypt(), { refresh }), session.run(encrypt(), { refresh })]);
      for (const { outputs } of results) expectAnswer(outputs);
    });

    test('stop at an abort, and go on from the border afterwards', async () => {
      const run = session.start(encrypt());
      const controller = new AbortController();
      const onProgress = () => controller.abort();
      await expect(run.proceed({ refresh, signal: controller.signal, onProgress })).rejects.toMatchObject({ code: 'ABORTED' });
      expect(run).toMatchObject({ state: 'ready', segment: 0 });
      expectAnswer((await run.proceed({ refresh })).outputs);
      run.dispose();
    });
  }
});

test.each(['seal', 'simd'] as const)('the program above has work for both workers on %s', (engine) => {
  const steps = schedule(program, 2, engine).map(({ workers }) => workers.map(({ length }) => length));
  expect(steps.some(([first = 0, second = 0]) => first > 0 && second > 0)).toBe(true);
});

test('two workers run a sequence of a program with state, saved and restored on the way', async () => {
  const shifting = compileSmall(await traceShiftRegister(), { state: STATE });
  const pair = await openPair(shifting, 'mock', { workers: { count: 2, url: worker.url } });
  const inputs = [1, 2, 3].map((seed) => randomValues(WIDTH, seed, 0.8));
  let sequence = pair.session.sequence(pair.zeros(2));
  for (const [t, input] of inputs.entries()) {
    const { outputs } = await sequence.run(pair.encrypt(input), { refresh: async (sent) => pair.client.refresh(sent) });
    expect(largestError(pair.decrypt(outputs), expectedOutputs(inputs)[t]!)).toBeLessThan(1e-3);
    const saved = sequence.save();
    sequence.dispose();
    sequence = pair.session.restoreSequence(saved);
  }
  pair.dispose();
});

test('a number of workers that makes no sense is refused', async () => {
  await expect(createServer(program, { engine: 'mock', workers: -1 })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID' });
});

test('a worker that does not start is WORKER_FAILED', async () => {
  const nowhere = new URL('nowhere.mjs', worker.url);
  const server = createServer(program, { engine: 'mock', workers: { count: 1, url: nowhere } });
  await expect(server).rejects.toMatchObject({ code: 'WORKER_FAILED' });
});

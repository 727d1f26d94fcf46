import { beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '../../src/client/index.js';
import type { TensorNode } from '../../src/graph/node.js';
import { compileGraph, manifestOf, type Program, profile } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { createServer } from '../../src/server/index.js';
import { leastServerMemory, requireServerMemory, requireSessionMemory, serverMemory, shareMemory } from '../../src/server/memory.js';
import { traceAttention } from '../support/attention.js';
import { openClient } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

let graph: TensorNode[];
let program: Program;
beforeAll(async () => {
  graph = await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 3 });
  program = compileSmall(graph);
});
const MIB = 2 ** 20;

describe('a server', () => {
  test('knows what it takes before it allocates, takes that, and refuses the session that would not fit', async () => {
    const memory = serverMemory(program, createParameters(program.parameters), 'seal');
    const all = Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
    const client = await openClient(program, 'seal');
    const keys = await client.evaluationKeys();
    const server = await createServer(program, { engine: 'seal', memoryBytes: all + memory.keys / 2 });
    const session = await server.openSession(keys);
    await expect(server.openSession(keys)).rejects.toMatchObject({ code: 'MEMORY_BUDGET', op: 'openSession' });

    await server.prepare();
    const { ledger } = session;
    expect(ledger.of('context').bytes).toBe(memory.contexts);
    expect(ledger.of('plaintext').bytes).toBe(memory.constants);
    expect(ledger.of('key').bytes).toBe(memory.keys);
    const before = ledger.total().bytes;
    const inputs = client.encrypt([new Float64Array(client.parameters.slots).fill(0.1)]);
    await session.run(inputs, { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
    expect(ledger.peakBytes - before).toBeLessThanOrEqual(memory.ciphertexts);
    expect(profile(program)).toMatchObject({ evaluationKeyBytes: memory.keys, constantBytes: memory.constants, simdOverflowBytes: 0 });

    session.dispose();
    (await server.openSession(keys)).dispose();
    server.dispose();
    client.dispose();
  });

  test('of engine simd knows its contexts, constants and keys', async () => {
    const memory = serverMemory(program, createParameters(program.parameters), 'simd');
    const client = await openClient(program, 'seal');
    const server = await createServer(program, { engine: 'simd' });
    const { ledger, dispose } = await server.openSession(await client.evaluationKeys());
    await server.prepare();
    expect(ledger.of('context').bytes).toBe(memory.contexts);
    expect(ledger.of('plaintext').bytes).toBe(memory.constants);
    expect(ledger.of('key').bytes).toBe(memory.keys);
    dispose();
    server.dispose();
    client.dispose();
  });

  test('that would not fit is refused with the limit, the excess and the option that helps', async () => {
    const { keys, contexts, constants, ciphertexts } = leastServerMemory(program, createParameters(program.parameters), 'seal', 0);
    const all = keys + contexts + constants + ciphertexts;
    const error = await createServer(program, { engine: 'seal', memoryBytes: all - 5 * MIB }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'MEMORY_BUDGET',
      op: 'createServer',
      message: expect.stringContaining(', 5 more than the limit of'),
    });
    expect((error as Error).message).toMatch(/maxEvaluationKeyBytes \d+ or less|polyModulusDegrees/);
  });

  test('whose keys are the largest part is told how many bytes of keys would fit', () => {
    const memory = { contexts: 100 * MIB, constants: 200 * MIB, keys: 900 * MIB, ciphertexts: 100 * MIB };
    const most = Math.floor((600 * MIB) / 1e6) * 1e6;
    expect(() => requireServerMemory(memory, 1000 * MIB)).toThrow(`maxEvaluationKeyBytes ${most} or less`);
  });

  test('shares its memory: all for everything if it fits, else what one of constants and keys leaves of its half for the other', () => {
    const least = { contexts: 100, constants: 50, keys: 40, ciphertexts: 100 };
    const shares = (constants: number, keys: number, limit: number) =>
      shareMemory({ contexts: 100, constants, keys, ciphertexts: 100 }, least, limit);
    expect(shares(300, 400, 1000)).toEqual({ constants: 300, keys: 500 });
    expect(shares(300, 600, 1000)).toEqual({ constants: 300, keys: 500 });
    expect(shares(700, 300, 1000)).toEqual({ constants: 500, keys: 300 });
    expect(shares(700, 600, 1000)).toEqual({ constants: 400, keys: 400 });
    expect(shares(700, 600, 300)).toEqual({ constants: 50, keys: 50 });
    expect(shares(700, 600, 290)).toEqual({ constants: 50, keys: 40 });
  });

  test('admits sessions whose keys fit inside, or all of them outside', () => {
    const all = { contexts: 100, constants: 300, keys: 250, ciphertexts: 100 };
    const admits = (keys: number, outside: number, ciphertexts = 0) => {
      try {
        requireSessionMemory(all, { constants: 300, keys: 500 }, { keys, ciphertexts }, 1000, outside);
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'MEMORY_BUDGET', op: 'openSession' });
        return false;
      }
    };
    expect([admits(500, 0), admits(500, 0, 1), admits(750, 0), admits(750, 749), admits(750, 750)]).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
    // Runs that wait hold on to ciphertexts, and what is inside cannot shrink for them.
    expect(admits(750, 750, 1)).toBe(false);
  });

  test('on mock has no such limit', async () => {
    const server = await createServer(program, { engine: 'mock', memoryBytes: 1 });
    server.dispose();
  });
});

test('a client refuses a manifest that asks for more keys than it allows, before it makes any', async () => {
  const manifest = manifestOf(compileGraph(graph, { polyModulusDegrees: [8192] }));
  const client = createClient(manifest, { engine: 'seal', maxKeyBytes: 100_000 });
  await expect(client).rejects.toMatchObject({ code: 'MEMORY_BUDGET', message: expect.stringContaining('maxKeyBytes') });
  const greedy = { ...manifest, galoisSteps: Array.from({ length: 4095 }, (_, i) => i + 1) };
  await expect(createClient(greedy, { engine: 'seal' })).rejects.toMatchObject({ code: 'MEMORY_BUDGET' });
});

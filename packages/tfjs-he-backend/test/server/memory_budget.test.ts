import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { keyBytes } from '../../src/engines/memory.js';
import { hoistRotations, traceFunction } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { createServer, type ServerOptions } from '../../src/server/index.js';
import { leastServerMemory } from '../../src/server/memory.js';
import { randomValues } from '../support/random.js';
import { openClient } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

/** A dense layer without refreshes: the same ciphertexts give the same result to the last bit. More keys than simd uses at once. */
async function denseLayer(engine: 'seal' | 'simd', features: number) {
  const weights = tf.tensor2d(Float32Array.from(randomValues(features ** 2, 1, 0.03)), [features, features]);
  const compiled = compileSmall(await traceFunction((x) => tf.matMul(x as tf.Tensor2D, weights), [{ name: 'x', shape: [1, features] }]));
  const parameters = createParameters(compiled.parameters);
  const program = hoistRotations(compiled, { maxEvaluationKeyBytes: 12 * keyBytes(parameters) });
  expect(program.segments.length).toBe(1);
  const client = await openClient(program, 'seal');
  const keys = await client.evaluationKeys();
  const inputs = client.encrypt([randomValues(client.parameters.slots, 2)]);
  client.dispose();
  const run = async (limits: Partial<ServerOptions>) => {
    const server = await createServer(program, { engine, ...limits });
    await server.prepare();
    const session = await server.openSession(keys);
    const refresh = async (ciphertexts: Uint8Array[]) => ciphertexts;
    await session.run(inputs, { refresh });
    const { outputs } = await session.run(inputs, { refresh });
    const { memoryUse } = server;
    session.dispose();
    server.dispose();
    expect(session.ledger.total()).toEqual({ count: 0, bytes: 0 });
    return { outputs: Buffer.concat(outputs), ...memoryUse };
  };
  /** The least memory that createServer takes. */
  const leastBytes = (outside: number) => {
    const { contexts, ciphertexts, keys: inside, constants } = leastServerMemory(program, parameters, engine, outside);
    return contexts + ciphertexts + inside + constants;
  };
  return { run, leastBytes, constants: program.constants.length };
}

describe.each([['simd', 256] as const, ['seal', 64] as const])('a server of engine %s in the least memory', (engine, features) => {
  test('gives the same outputs, of constants encoded again, and leaves nothing behind', async () => {
    const { run, leastBytes, constants } = await denseLayer(engine, features);
    const whole = await run({});
    expect(whole.constants).toMatchObject({ encoded: constants, restored: 0, evicted: 0 });
    const tight = await run({ memoryBytes: leastBytes(0), outsideBytes: 0 });
    expect(tight.outputs.equals(whole.outputs)).toBe(true);
    expect(tight.constants.encoded).toBeGreaterThan(constants);
    expect(tight.constants.evicted).toBeGreaterThan(constants / 2);
    expect(tight.constants).toMatchObject({ restored: 0, outsideBytes: 0 });
    expect(tight.constants.bytes).toBeLessThan(0.75 * whole.constants.bytes);
    await expect(run({ memoryBytes: leastBytes(0) - 1, outsideBytes: 0 })).rejects.toMatchObject({ code: 'MEMORY_BUDGET' });
    if (engine === 'seal') return;

    // With memory outside, constants are encoded once, and keys come and go.
    const outsideBytes = 2 ** 30;
    const spread = await run({ memoryBytes: leastBytes(outsideBytes), outsideBytes });
    expect(spread.outputs.equals(whole.outputs)).toBe(true);
    expect(spread.constants).toMatchObject({ encoded: constants });
    expect(spread.constants.restored).toBeGreaterThan(constants / 2);
    expect(spread.keys.moved).toBeGreaterThan(0);
    expect(spread.keys.bytes).toBeGreaterThan(spread.keys.limitBytes);
  });
});

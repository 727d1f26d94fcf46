import { afterEach, describe, expect, jest, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { createClient } from '../../src/client/index.js';
import { compileGraph, traceFunction } from '../../src/index.js';
import { createServer, defaultServerEngine } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { openPair } from '../support/session.js';

afterEach(() => {
  jest.restoreAllMocks();
});

/** A runtime without WebAssembly SIMD: kernels are modules of some kilobytes, SEAL's probe is one of some bytes. */
function withoutSimd(): void {
  const { validate } = WebAssembly;
  jest.spyOn(WebAssembly, 'validate').mockImplementation((bytes) => bytes.byteLength < 1000 && validate(bytes));
}

/** A program that squares two numbers. */
async function squaring() {
  const graph = await traceFunction((x) => tf.square(x as tf.Tensor), [{ name: 'x', shape: [2] }]);
  return compileGraph(graph, { polyModulusDegrees: [8192] });
}

/** Squares of two numbers from a server without options, for a client of engine seal. */
async function squares(values: readonly number[]) {
  const server = await createServer(await squaring());
  const client = await createClient(server.manifest);
  const session = await server.openSession(await client.evaluationKeys());
  const { inputs, outputs } = server.manifest;
  const { slots } = client.parameters;
  const result = await session.run(client.encrypt(pack(values, inputs[0]!, slots)), {
    refresh: async (ciphertexts) => client.refresh(ciphertexts),
  });
  const [first, second] = unpack(client.decrypt(result.outputs), outputs[0]!, slots);
  session.dispose();
  server.dispose();
  client.dispose();
  return { engine: server.engine, first, second };
}

describe('a server without options', () => {
  test('is of engine simd, and takes what a client of engine seal makes', async () => {
    const { engine, first, second } = await squares([0.5, -3]);
    expect(engine).toBe('simd');
    expect(first).toBeCloseTo(0.25, 3);
    expect(second).toBeCloseTo(9, 3);
  });

  test('is of engine seal where the runtime has no WebAssembly SIMD, and says so', async () => {
    withoutSimd();
    expect(defaultServerEngine()).toBe('seal');
    const { engine, first, second } = await squares([0.5, -3]);
    expect(engine).toBe('seal');
    expect(first).toBeCloseTo(0.25, 3);
    expect(second).toBeCloseTo(9, 3);
  });
});

test('the noise of engine mock follows from the seed', async () => {
  const program = await squaring();
  const square = async (seed: number) => {
    const { client, session, encrypt, dispose } = await openPair(program, 'mock', { seed });
    const { outputs } = await session.run(encrypt([0.5, -3]), { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
    const [values] = client.decrypt(outputs);
    dispose();
    return values;
  };
  const first = await square(7);
  expect(await square(7)).toEqual(first);
  expect(await square(8)).not.toEqual(first);
});

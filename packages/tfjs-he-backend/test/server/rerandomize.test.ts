import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { type Program, traceFunction } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { createServer, rerandomizedBits, type ServerOptions } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { createSealFrames } from '../../src/wire/seal_frames.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openClient } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

let program: Program;
beforeAll(async () => {
  const power = await traceFunction((t) => tf.pow(t as tf.Tensor, 16), [{ name: 'x', shape: [8] }]);
  program = compileSmall(power);
});
const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers) close();
});

const x = randomValues(8, 5);
const exact = x.map((v) => v ** 16);

/** Runs the program once, twice the same inputs: what it decrypts to, and all ciphertexts that left the server. */
async function runs(engine: 'mock' | 'seal' | 'simd', options: Partial<ServerOptions>) {
  const client = await openClient(program, engine);
  const server = await createServer(program, { engine, ...options });
  const session = await server.openSession(await client.evaluationKeys(), { publicKey: client.publicKey() });
  closers.push(() => {
    session.dispose();
    server.dispose();
    client.dispose();
  });
  const { slots } = client.parameters;
  const inputs = client.encrypt(pack(x, server.manifest.inputs[0]!, slots));
  const run = async () => {
    const left: Uint8Array[] = [];
    const { outputs } = await session.run(inputs, {
      refresh: async (ciphertexts) => {
        left.push(...ciphertexts);
        return client.refresh(ciphertexts);
      },
    });
    left.push(...outputs);
    return { left, outputs, values: unpack(client.decrypt(outputs), server.manifest.outputs[0]!, slots) };
  };
  return { first: await run(), second: await run() };
}

describe.each(['simd', 'seal', 'mock'] as const)('a server of engine %s that re-randomises', (engine) => {
  test('gives the same values, up to the noise announced', async () => {
    const floodBits = 28;
    const { first, second } = await runs(engine, { rerandomize: { floodBits } });
    expect(first.left.length).toBeGreaterThan(1);
    const bits = rerandomizedBits(createParameters(program.parameters), floodBits);
    expect(bits).toBeGreaterThan(2);
    // The largest of few errors.
    expect(Math.abs(bitsOfAgreement(first.values, exact) - bits)).toBeLessThan(4);
    expect(bitsOfAgreement(first.values, second.values)).toBeLessThan(bits + 3);
  });
});

test('the second polynomials of what leaves differ from run to run, even of the first refresh of equal inputs', async () => {
  const frames = createSealFrames(createParameters(program.parameters));
  const secondOf = (frame: Uint8Array) => frames.readCiphertext(frame, program.parameters.refreshLevel, false).polynomials[1];
  const plain = await runs('simd', {});
  expect(secondOf(plain.first.left[0]!)).toEqual(secondOf(plain.second.left[0]!));
  const { first, second } = await runs('simd', { rerandomize: {} });
  expect(bitsOfAgreement(first.values, exact)).toBeGreaterThan(12);
  for (const [i, frame] of first.left.entries()) expect(secondOf(frame)).not.toEqual(secondOf(second.left[i]!));
});

test('a session without a public key, a damaged one, and useless floods are refused', async () => {
  const client = await openClient(program, 'mock');
  const server = await createServer(program, { engine: 'mock', rerandomize: {} });
  const keys = await client.evaluationKeys();
  await expect(server.openSession(keys)).rejects.toMatchObject({ code: 'PARAMETERS_INVALID' });
  await expect(server.openSession(keys, { publicKey: client.publicKey().slice(1) })).rejects.toMatchObject({
    code: expect.stringMatching(/^WIRE_/),
  });
  for (const floodBits of [-1, 1.5, 47]) {
    await expect(createServer(program, { engine: 'mock', rerandomize: { floodBits } })).rejects.toMatchObject({
      code: 'PARAMETERS_INVALID',
    });
  }
  server.dispose();
});

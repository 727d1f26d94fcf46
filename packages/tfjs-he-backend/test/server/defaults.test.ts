import { expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { createClient } from '../../src/client/index.js';
import { compileGraph, traceFunction } from '../../src/index.js';
import { createServer } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';

test('without options, a server of engine simd takes what a client of engine seal makes', async () => {
  const graph = await traceFunction((x) => tf.square(x as tf.Tensor), [{ name: 'x', shape: [2] }]);
  const server = await createServer(compileGraph(graph, { polyModulusDegrees: [8192] }));
  expect(server.engine).toBe('simd');
  const client = await createClient(server.manifest);
  const session = await server.openSession(await client.evaluationKeys());
  const { inputs, outputs } = server.manifest;
  const { slots } = client.parameters;
  const result = await session.run(client.encrypt(pack([0.5, -3], inputs[0]!, slots)), {
    refresh: async (ciphertexts) => client.refresh(ciphertexts),
  });
  const [first, second] = unpack(client.decrypt(result.outputs), outputs[0]!, slots);
  expect(first).toBeCloseTo(0.25, 3);
  expect(second).toBeCloseTo(9, 3);
  session.dispose();
  server.dispose();
  client.dispose();
});

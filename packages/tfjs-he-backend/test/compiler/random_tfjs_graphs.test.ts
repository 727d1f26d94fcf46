import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type RandomGraph, randomGraph } from '../../bench/random_graph.js';
import { compileGraph, traceFunction } from '../../src/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { bitsOfAgreement } from '../support/random.js';
import { openPair } from '../support/session.js';

// `npm run fuzz` runs a thousand on mock and thirty on SEAL.
const OPTIONS = { polyModulusDegrees: [8192], precisionBits: 13, valueBits: 8 };
const MOCK_SEEDS = Array.from({ length: 12 }, (_, i) => 5000 + i);
const SEAL_SEEDS = [12];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('random graphs of tfjs operations agree with the CPU backend', () => {
  test('on mock', async () => {
    const bits: number[] = [];
    for (const seed of MOCK_SEEDS) {
      const agreement = await bitsOf(randomGraph(1 + (seed % 12), seed), 'mock');
      if (agreement !== null) bits.push(agreement);
    }
    expect(bits.length).toBeGreaterThan(8);
    expect(Math.min(...bits)).toBeGreaterThan(8);
  });

  test.each(SEAL_SEEDS)('on seal, seed %i', async (seed) => {
    expect(await bitsOf(randomGraph(6, seed), 'seal')).toBeGreaterThan(8);
  });
});

/** Null: an output is the same whatever the inputs, which is refused. */
async function bitsOf({ inputs, body, expected }: RandomGraph, engine: 'mock' | 'seal'): Promise<number | null> {
  const graph = await traceFunction((x) => body(Array.isArray(x) ? x : [x]), inputs).catch(constant);
  if (graph === null) return null;
  const program = await Promise.resolve(graph)
    .then((nodes) => compileGraph(nodes, OPTIONS))
    .catch(constant);
  if (program === null) return null;
  const pair = await openPair(program, engine);
  try {
    const { slots } = pair.client.parameters;
    const values = new Map(inputs.map((input) => [input.name, input.values]));
    const vectors = program.inputs.flatMap(({ layout }) => pack(values.get(layout.name)!, layout, slots));
    const result = await pair.session.run(pair.client.encrypt(vectors), { refresh: async (c) => pair.client.refresh(c) });
    const decrypted = pair.client.decrypt(result.outputs);
    return Math.min(...program.outputs.map(({ layout }, i) => bitsOfAgreement(unpack([decrypted[i]!], layout, slots), expected[i]!)));
  } finally {
    pair.dispose();
  }
}

function constant(error: unknown): null {
  if (error instanceof Error && error.message.includes('does not depend on')) return null;
  throw error;
}

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { evaluateGraph } from '../../src/graph/evaluate.js';
import { compileGraph } from '../../src/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { randomGraph } from '../support/graphs.js';
import { seeds } from '../support/maps.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const OPTIONS = { polyModulusDegrees: [8192], precisionBits: 13 };

describe('random graphs', () => {
  test('compile and run on mock to what they are in the clear', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), seeds, async (steps, seed) => {
        const graph = randomGraph(steps, seed);
        if (graph.length === 0) return;
        const inputNames = ['x', 'y'] as const;
        const program = compileGraph(graph, OPTIONS);
        const values = new Map(program.inputs.map(({ layout }, i) => [layout.name, randomValues(layout.slotOf.length, seed + i, 0.8)]));
        for (const name of inputNames) if (!values.has(name)) values.set(name, new Float64Array(0));
        const expected = evaluateGraph(graph, values);
        if (Math.max(...expected.flatMap((output) => [...output.map(Math.abs)])) > 8) return;
        const pair = await openPair(program, 'mock');
        try {
          const { slots } = pair.client.parameters;
          const vectors = program.inputs.flatMap(({ layout }) => pack(values.get(layout.name)!, layout, slots));
          const result = await pair.session.run(pair.client.encrypt(vectors), { refresh: async (c) => pair.client.refresh(c) });
          const decrypted = pair.client.decrypt(result.outputs);
          for (const [i, { layout }] of program.outputs.entries()) {
            expect(layout.shape).toEqual(graph[i]!.shape);
            expect(bitsOfAgreement(unpack([decrypted[i]!], layout, slots), expected[i]!)).toBeGreaterThan(10);
          }
          compared++;
        } finally {
          pair.dispose();
        }
      }),
      { numRuns: 30, seed: 11 },
    );
    expect(compared).toBeGreaterThan(15);
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { constantOf } from '../../src/graph/constants.js';
import { evaluateGraph } from '../../src/graph/evaluate.js';
import { identity } from '../../src/graph/linear_map.js';
import { sizeOf, type TensorNode } from '../../src/graph/node.js';
import { Recorder } from '../../src/graph/recorder.js';
import { simplify } from '../../src/graph/simplify.js';
import { compileGraph } from '../../src/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { randomMap, seeds } from '../support/maps.js';
import { bitsOfAgreement, randomSource, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const OPTIONS = { polyModulusDegrees: [8192], precisionBits: 13 };

/** A random graph of all node kinds over two inputs, values of magnitude about one. */
function randomGraph(steps: number, seed: number): TensorNode[] {
  const next = randomSource(seed);
  const integer = (n: number): number => Math.floor(next() * n);
  const recorder = new Recorder();
  const shape = (): number[] => [1, 1 + integer(4), 1 + integer(5)];
  const nodes: TensorNode[] = [recorder.input('x', shape()), recorder.input('y', shape())];
  const pick = (): TensorNode => nodes[integer(nodes.length)]!;
  const mapTo = (to: readonly number[], from: TensorNode, k: number): TensorNode => {
    const map = randomMap(sizeOf(to), sizeOf(from.shape), 0.5, seed + 17 * k);
    return recorder.linear(to, from, { ...map, value: map.value.map((v) => v / Math.sqrt(sizeOf(from.shape))) });
  };
  for (let k = 0; k < steps; k++) {
    const kind = integer(5);
    const a = pick();
    if (kind === 0) nodes.push(mapTo(shape(), a, k));
    else if (kind === 1) nodes.push(recorder.product(a, next() < 0.5 ? a : mapTo(a.shape, pick(), k)));
    else if (kind === 2) {
      const size = sizeOf(a.shape);
      const terms = [a, mapTo(a.shape, pick(), k)].map((source, i) => ({
        map: { ...identity(size), value: new Float64Array(size).fill(i === 0 ? [-1, 2, 0.5][integer(3)]! : 1) },
        source,
      }));
      nodes.push(recorder.affine(a.shape, terms, next() < 0.5 ? randomValues(size, seed + k) : null));
    } else if (kind === 3) {
      const [m, l] = [a.shape[1]!, a.shape[2]!];
      const n = 1 + integer(4);
      nodes.push(recorder.matMul([1, m, n], a, mapTo([1, l, n], pick(), k), { batch: 1, m, k: l, n }));
    } else nodes.push(recorder.linear([1, sizeOf(a.shape), 1], a, identity(sizeOf(a.shape))));
  }
  return [nodes.at(-1)!, pick()].filter((node) => constantOf(simplify([node])[0]!) === null);
}

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

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fits } from '../../src/compiler/partition.js';
import { type SplitGraph, splitTensors } from '../../src/compiler/split_tensors.js';
import { constantOf } from '../../src/graph/constants.js';
import { evaluateGraph } from '../../src/graph/evaluate.js';
import { buildMap, identity, selection } from '../../src/graph/linear_map.js';
import { sizeOf, type TensorNode, topologicalOrder } from '../../src/graph/node.js';
import { Recorder } from '../../src/graph/recorder.js';
import { simplify } from '../../src/graph/simplify.js';
import { MAX_CIPHERTEXTS } from '../../src/wire/layout.js';
import { traceAttention } from '../support/attention.js';
import { randomGraph } from '../support/graphs.js';
import { seeds } from '../support/maps.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

/** Values of the original outputs, from the parts. */
function evaluateSplit({ inputs, outputs }: SplitGraph, values: ReadonlyMap<string, Float64Array>): Float64Array[] {
  const parts = new Map<string, Float64Array>();
  for (const { name, parts: own } of inputs) {
    for (const { node, elements } of own) {
      if (node.kind === 'input')
        parts.set(
          node.name,
          Float64Array.from(elements, (e) => values.get(name)![e]!),
        );
    }
  }
  const results = evaluateGraph(
    outputs.flatMap(({ parts: own }) => own.map(({ node }) => node)),
    parts,
  );
  return outputs.map(({ shape, parts: own }) => {
    const out = new Float64Array(sizeOf(shape)).fill(Number.NaN);
    for (const { elements } of own) {
      const result = results.shift()!;
      elements.forEach((e, i) => {
        out[e] = result[i]!;
      });
    }
    return out;
  });
}

function nodesOf({ outputs }: SplitGraph): TensorNode[] {
  return topologicalOrder(outputs.flatMap(({ parts }) => parts.map(({ node }) => node)));
}

function largest(values: readonly Float64Array[]): number {
  return Math.max(0, ...values.flatMap((v) => [...v.map(Math.abs)]));
}

describe('tensors over several ciphertexts', () => {
  test('have the values of the whole, in parts that fit, whatever the graph and the slots', () => {
    let split = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), seeds, fc.constantFrom(4, 8, 16, 32), fc.boolean(), (steps, seed, slots, doubled) => {
        const graph = simplify(randomGraph(steps, seed)).filter((node) => constantOf(node) === null);
        if (graph.length === 0) return;
        const inputs = topologicalOrder(graph).flatMap((node) => (node.kind === 'input' ? [node] : []));
        const values = new Map(inputs.map(({ name, shape }, i) => [name, randomValues(sizeOf(shape), seed + i, 0.8)]));
        const result = splitTensors(graph, { slots, doubled });
        const expected = evaluateGraph(graph, values);
        if (largest(expected) > 1e6) return;
        evaluateSplit(result, values).forEach((output, i) => {
          expect(bitsOfAgreement(output, expected[i]!)).toBeGreaterThan(30 - Math.log2(1 + largest(expected)));
        });
        for (const node of nodesOf(result)) expect(fits(node.shape, slots)).toBe(true);
        if (result.outputs.some(({ parts }) => parts.length > 1)) split++;
      }),
      { numRuns: 200, seed: 3 },
    );
    expect(split).toBeGreaterThan(60);
  });

  test('attention is divided by heads, and what follows from one head stays with it', async () => {
    const graph = simplify(await traceAttention({ tokens: 4, heads: 4, headDim: 4, labels: 2 }));
    const matmuls = nodesOf(splitTensors(graph, { slots: 32, doubled: false })).filter((node) => node.kind === 'matmul');
    expect(matmuls.map(({ dims }) => dims)).toEqual(new Array(4).fill({ batch: 2, m: 4, k: 4, n: 4 }));
    const apart = nodesOf(splitTensors(graph, { slots: 32, doubled: true })).filter((node) => node.kind === 'matmul');
    expect(apart.map(({ dims }) => dims)).toEqual(new Array(8).fill({ batch: 1, m: 4, k: 4, n: 4 }));
    // The second product of heads takes the square of their first as it is.
    expect(matmuls.map(({ a }) => a.kind)).toEqual(['affine', 'product', 'affine', 'product']);
  });

  test('what fits stays as it is', async () => {
    const graph = simplify(await traceAttention({ tokens: 4, heads: 2, headDim: 2, labels: 2 }));
    const { outputs, inputs } = splitTensors(graph, { slots: 1024, doubled: true });
    expect([...inputs, ...outputs].map(({ parts }) => parts.length)).toEqual([1, 1]);
    expect(topologicalOrder([outputs[0]!.parts[0]!.node]).map(({ kind }) => kind)).toEqual(topologicalOrder(graph).map(({ kind }) => kind));
  });

  test('a part of an output that no input reaches is its bias', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [1, 8]);
    const bias = randomValues(16, 1);
    const padded = recorder.linear([1, 16], x, selection([0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1], 8), bias);
    const values = new Map([['x', randomValues(8, 2)]]);
    const result = splitTensors([padded], { slots: 8, doubled: false });
    expect(nodesOf(result).every((node) => constantOf(node) === null)).toBe(true);
    expect(evaluateSplit(result, values)).toEqual(evaluateGraph([padded], values));
  });

  test('a concatenation takes the parts it is made of', () => {
    const recorder = new Recorder();
    const [x, y] = ['x', 'y'].map((name) => recorder.input(name, [4, 8]));
    const place = (offset: number) => buildMap(64, 32, (row, emit) => (row >> 5 === offset ? emit(row & 31, 1) : undefined));
    const both = recorder.affine(
      [8, 8],
      [
        { map: place(0), source: x! },
        { map: place(1), source: y! },
      ],
    );
    const { outputs } = splitTensors([recorder.product(both, both)], { slots: 16, doubled: false });
    const products = outputs[0]!.parts.map(({ node }) => node);
    expect(products.map((node) => node.kind === 'product' && node.a.kind)).toEqual(new Array(4).fill('input'));
  });

  test('more ciphertexts than a tensor may take are COMPILE_FAILED', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [8, 8 * MAX_CIPHERTEXTS + 8]);
    const graph = [recorder.linear(x.shape, x, identity(sizeOf(x.shape)), randomValues(sizeOf(x.shape), 1))];
    expect(() => splitTensors(graph, { slots: 64, doubled: false })).toThrow(
      expect.objectContaining({ code: 'COMPILE_FAILED', message: expect.stringContaining(`${MAX_CIPHERTEXTS + 1} ciphertexts`) }),
    );
  });
});

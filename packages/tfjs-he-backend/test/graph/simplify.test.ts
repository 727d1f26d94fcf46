import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { constantOf } from '../../src/graph/constants.js';
import { depthOf } from '../../src/graph/depth.js';
import { evaluateGraph } from '../../src/graph/evaluate.js';
import { identity, selection } from '../../src/graph/linear_map.js';
import { type TensorNode, topologicalOrder } from '../../src/graph/node.js';
import { Recorder } from '../../src/graph/recorder.js';
import { simplify } from '../../src/graph/simplify.js';
import { randomMap, seeds } from '../support/maps.js';
import { bitsOfAgreement, randomSource, randomValues } from '../support/random.js';

const SIZE = 6;

/** A random DAG of affine and product nodes over one input. */
function randomGraph(steps: number, seed: number): TensorNode {
  const next = randomSource(seed);
  const recorder = new Recorder();
  const nodes: TensorNode[] = [recorder.input('x', [SIZE])];
  const pick = (): TensorNode => nodes[Math.floor(next() * nodes.length)]!;
  for (let i = 0; i < steps; i++) {
    const kind = next();
    if (kind < 0.25) nodes.push(recorder.product(pick(), pick()));
    else {
      const terms = Array.from({ length: kind < 0.6 ? 1 : 2 }, (_, t) => ({
        map: next() < 0.4 ? identity(SIZE) : randomMap(SIZE, SIZE, 0.4, seed + 31 * i + t),
        source: pick(),
      }));
      nodes.push(recorder.affine([SIZE], terms, next() < 0.5 ? randomValues(SIZE, seed + i) : null));
    }
  }
  return nodes.at(-1)!;
}

describe('simplify', () => {
  test('leaves the values of random graphs unchanged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), seeds, (steps, seed) => {
        const output = randomGraph(steps, seed);
        const inputs = new Map([['x', randomValues(SIZE, seed + 7)]]);
        const [before] = evaluateGraph([output], inputs);
        const [after] = evaluateGraph(simplify([output]), inputs);
        const scale = Math.max(1, ...before!.map(Math.abs));
        expect(
          bitsOfAgreement(
            after!.map((v) => v / scale),
            before!.map((v) => v / scale),
          ),
        ).toBeGreaterThan(35);
      }),
    );
  });

  test('a chain of linear maps becomes one node', () => {
    const recorder = new Recorder();
    let node: TensorNode = recorder.input('x', [SIZE]);
    for (let i = 0; i < 4; i++) node = recorder.linear([SIZE], node, randomMap(SIZE, SIZE, 0.8, i + 1), randomValues(SIZE, i));
    expect(topologicalOrder(simplify([node])).map((n) => n.kind)).toEqual(['input', 'affine']);
  });

  test('a mean that is subtracted from its source folds into one map of the source', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [SIZE]);
    const projected = recorder.linear([SIZE], x, randomMap(SIZE, SIZE, 1, 4));
    const mean = recorder.linear([1], projected, { ...randomMap(1, SIZE, 1, 5), value: new Float64Array(SIZE).fill(1 / SIZE) });
    const centred = recorder.affine(
      [SIZE],
      [
        { map: identity(SIZE), source: projected },
        { map: selection(new Int32Array(SIZE), 1, -1), source: mean },
      ],
    );
    const [output] = simplify([centred]);
    expect(topologicalOrder([output!]).map((n) => n.kind)).toEqual(['input', 'affine']);
  });

  test('a product with something that came out as constant becomes affine', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [SIZE]);
    const constant = recorder.linear([SIZE], x, randomMap(SIZE, SIZE, 0, 1), randomValues(SIZE, 2));
    const [output] = simplify([recorder.product(x, constant)]);
    expect(topologicalOrder([output!]).map((n) => n.kind)).toEqual(['input', 'affine']);
    const values = randomValues(SIZE, 3);
    expect(evaluateGraph([output!], new Map([['x', values]]))[0]).toEqual(values.map((v, i) => v * randomValues(SIZE, 2)[i]!));
  });

  test('a pure reshape disappears', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [2, 3]);
    const square = recorder.product(recorder.linear([6], x, identity(6)), recorder.linear([6], x, identity(6)));
    expect(topologicalOrder(simplify([square])).map((n) => n.kind)).toEqual(['input', 'product']);
  });

  test('what is computed twice is computed once', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [SIZE]);
    const branch = () => {
      const scaled = recorder.linear([SIZE], x, randomMap(SIZE, SIZE, 0.5, 3), randomValues(SIZE, 4));
      return recorder.product(recorder.product(scaled, scaled), x);
    };
    const sum = recorder.affine(
      [SIZE],
      [branch(), branch()].map((source) => ({ map: identity(SIZE), source })),
    );
    const products = topologicalOrder(simplify([sum])).filter(({ kind }) => kind === 'product');
    expect(products.length).toBe(2);
  });

  test('the difference of two equal products is the constant zero', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [SIZE]);
    const minus = { ...identity(SIZE), value: new Float64Array(SIZE).fill(-1) };
    const difference = recorder.affine(
      [SIZE],
      [
        { map: identity(SIZE), source: recorder.product(x, x) },
        { map: minus, source: recorder.product(x, x) },
      ],
    );
    expect(constantOf(simplify([difference])[0]!)).toEqual(new Float64Array(SIZE));
  });

  const scaling = (factor: number) => ({ ...identity(SIZE), value: new Float64Array(SIZE).fill(factor) });

  test.each<[string, number, (r: Recorder, x: TensorNode, y: TensorNode) => TensorNode]>([
    ['a product', 0.3, (r, x, y) => r.product(x, y)],
    ['a square', 0.3, (r, x) => r.product(x, x)],
    ['a square, with a sign', -0.3, (r, x) => r.product(x, x)],
    ['a product of matrices', 0.3, (r, x, y) => r.matMul([SIZE], x, y, { batch: SIZE, m: 1, k: 1, n: 1 })],
  ])('a factor on %s moves into the map of an operand and saves its level', (_, factor, multiply) => {
    const recorder = new Recorder();
    const x = recorder.input('x', [SIZE]);
    const dense = recorder.linear([SIZE], x, randomMap(SIZE, SIZE, 1, 4), randomValues(SIZE, 5));
    const product = multiply(recorder, dense, x);
    const result = recorder.linear(product.shape, product, scaling(factor));
    const [output] = simplify([result]);
    expect([depthOf(result), depthOf(output!)]).toEqual([3, 2]);
    const inputs = new Map([['x', randomValues(SIZE, 6)]]);
    expect(bitsOfAgreement(evaluateGraph([output!], inputs)[0]!, evaluateGraph([result], inputs)[0]!)).toBeGreaterThan(45);
  });

  test('a factor stays where the product or its operand has other users', () => {
    const recorder = new Recorder();
    const x = recorder.input('x', [SIZE]);
    const dense = recorder.linear([SIZE], x, randomMap(SIZE, SIZE, 1, 4));
    const product = recorder.product(dense, x);
    const scaled = recorder.linear([SIZE], product, scaling(0.3));
    expect(simplify([scaled, product]).map(depthOf)).toEqual([3, 2]);
    expect(simplify([scaled, dense]).map(depthOf)).toEqual([3, 1]);
  });
});

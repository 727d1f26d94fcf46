import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { expandMatMuls } from '../../src/compiler/expand_matmul.js';
import { lower } from '../../src/compiler/lower.js';
import { unsplit } from '../../src/compiler/split_tensors.js';
import { evaluateGraph } from '../../src/graph/evaluate.js';
import { topologicalOrder } from '../../src/graph/node.js';
import { Recorder } from '../../src/graph/recorder.js';
import { compileGraph, profile } from '../../src/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

function product(batch: number, m: number, k: number, n: number) {
  const recorder = new Recorder();
  const [a, b] = [recorder.input('a', [batch, m, k]), recorder.input('b', [batch, k, n])];
  return recorder.matMul([batch, m, n], a, b, { batch, m, k, n });
}

const extents = fc.integer({ min: 1, max: 5 });
const isMatMul = ({ kind }: { kind: string }): boolean => kind === 'matmul';

describe('products of encrypted matrices as elementwise products', () => {
  test('values are unchanged', () => {
    fc.assert(
      fc.property(extents, extents, extents, extents, (batch, m, k, n) => {
        const node = product(batch, m, k, n);
        const inputs = new Map([
          ['a', randomValues(batch * m * k, 1)],
          ['b', randomValues(batch * k * n, 2)],
        ]);
        // 32 slots: too few for most grids.
        const [expanded] = expandMatMuls([node], 32);
        expect(bitsOfAgreement(evaluateGraph([expanded!], inputs)[0]!, evaluateGraph([node], inputs)[0]!)).toBeGreaterThan(40);
      }),
      { seed: 5 },
    );
  });

  test('vectors are expanded, matrices whose grid fits are not', () => {
    expect(topologicalOrder(expandMatMuls([product(1, 1, 8, 8)], 4096)).some(isMatMul)).toBe(false);
    expect(topologicalOrder(expandMatMuls([product(1, 8, 8, 8)], 4096)).some(isMatMul)).toBe(true);
  });

  test('a dot product of 512 elements fits where its grid does not, in one product and the rotations of a sum', () => {
    const { rotations, products } = profile(compileGraph([product(1, 1, 512, 1)], { polyModulusDegrees: [8192] }));
    expect({ rotations, products }).toEqual({ rotations: 9, products: 1 });
  });

  test('what fits neither way as a whole is COMPILE_FAILED and says by how much, and what would help', () => {
    expect(() => lower(unsplit([product(1, 128, 128, 128)]), 4096)).toThrow(
      /takes 16384 slots, 12288 more than there are.*Allow a ring degree of 32768/,
    );
  });
});

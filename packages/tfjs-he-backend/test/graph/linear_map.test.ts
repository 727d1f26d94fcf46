import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addMaps,
  applyMap,
  buildMap,
  compose,
  identity,
  isMonomial,
  type LinearMap,
  selection,
  transpose,
} from '../../src/graph/linear_map.js';
import { randomMap, seeds, toDense } from '../support/maps.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const sizes = fc.integer({ min: 1, max: 12 });

/** The same map for every token, the tokens' elements one after the other. */
function repeated(map: LinearMap, tokens: number): LinearMap {
  return buildMap(map.rows * tokens, map.cols * tokens, (row, emit) => {
    const [token, r] = [Math.floor(row / map.rows), row % map.rows];
    for (let i = map.rowStart[r]!; i < map.rowStart[r + 1]!; i++) emit(token * map.cols + map.column[i]!, map.value[i]!);
  });
}

describe('linear maps', () => {
  test('apply equals the dense matrix-vector product plus bias', () => {
    fc.assert(
      fc.property(sizes, sizes, seeds, (rows, cols, seed) => {
        const map = randomMap(rows, cols, 0.4, seed);
        const x = randomValues(cols, seed + 1);
        const bias = randomValues(rows, seed + 2);
        const expected = toDense(map).map((row, r) => row.reduce((sum, v, c) => sum + v * x[c]!, bias[r]!));
        expect(bitsOfAgreement(applyMap(map, x, bias), expected)).toBeGreaterThan(45);
      }),
    );
  });

  test('composition applies the inner map first', () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, seeds, (n, m, k, seed) => {
        const inner = randomMap(m, n, 0.5, seed);
        const outer = randomMap(k, m, 0.5, seed + 1);
        const x = randomValues(n, seed + 2);
        expect(bitsOfAgreement(applyMap(compose(outer, inner), x), applyMap(outer, applyMap(inner, x)))).toBeGreaterThan(45);
      }),
    );
  });

  test('composition of maps that repeat along tokens is what it is entry by entry', () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, fc.integer({ min: 2, max: 5 }), fc.boolean(), seeds, (n, m, k, tokens, broken, seed) => {
        const inner = repeated(randomMap(m, n, 0.8, seed), tokens);
        const outer = repeated(randomMap(k, m, 0.8, seed + 1), tokens);
        // One entry of one token is another: its row, and what is made of it, is no copy.
        if (broken && inner.value.length > 0) inner.value[inner.value.length - 1] = 0.123;
        const [a, b] = [toDense(outer), toDense(inner)];
        const expected = a.map((row) => Array.from({ length: n * tokens }, (_, c) => row.reduce((sum, v, i) => sum + v * b[i]![c]!, 0)));
        toDense(compose(outer, inner)).forEach((row, r) => {
          expect(bitsOfAgreement(row, expected[r]!)).toBeGreaterThan(45);
        });
      }),
      { seed: 8 },
    );
  });

  test('a transpose swaps rows and columns', () => {
    fc.assert(
      fc.property(sizes, sizes, seeds, (rows, cols, seed) => {
        const map = randomMap(rows, cols, 0.4, seed);
        const dense = toDense(map);
        expect(toDense(transpose(map))).toEqual(Array.from({ length: cols }, (_, c) => dense.map((row) => row[c])));
      }),
    );
  });

  test('a sum of maps adds results and drops entries that cancel', () => {
    const map = randomMap(5, 7, 0.6, 3);
    const negated = { ...map, value: map.value.map((v) => -v) };
    expect(addMaps(map, negated).column.length).toBe(0);
  });

  test('rows keep ascending columns without duplicates', () => {
    const map = compose(randomMap(6, 9, 0.7, 5), randomMap(9, 8, 0.7, 6));
    for (let r = 0; r < map.rows; r++) {
      const columns = [...map.column.slice(map.rowStart[r]!, map.rowStart[r + 1]!)];
      expect(columns).toEqual([...new Set(columns)].sort((a, b) => a - b));
    }
  });

  test('selections and identities are monomial, dense maps are not', () => {
    expect(isMonomial(selection([2, -1, 0], 3))).toBe(true);
    expect(isMonomial(identity(4))).toBe(true);
    expect(isMonomial(randomMap(3, 5, 1, 1))).toBe(false);
  });
});

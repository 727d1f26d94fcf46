import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { precisionReport, precisionTable } from '../../src/debug/index.js';

describe('precisionReport', () => {
  test('gives minimum, mean and median of the bits of each value', () => {
    const errors = [2 ** -3, -(2 ** -5), 2 ** -10, 2 ** -4];
    expect(precisionReport(errors, [0, 0, 0, 0])).toEqual({ minimum: 3, mean: 5.5, median: 4.5, count: 4 });
    expect(precisionReport(errors.slice(0, 3), [0, 0, 0]).median).toBe(5);
  });

  test('equal values have the bits of a double, and what is no number has none', () => {
    expect(precisionReport([1], [1]).minimum).toBe(53);
    expect(precisionReport([Number.NaN, 1], [0, 1]).minimum).toBe(Number.NEGATIVE_INFINITY);
    expect(precisionReport([Number.POSITIVE_INFINITY], [0]).median).toBe(Number.NEGATIVE_INFINITY);
  });

  test('orders its figures for any errors', () => {
    const errors = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(errors, (values) => {
        const { minimum, mean, median, count } = precisionReport(
          values,
          values.map(() => 0),
        );
        const most = Math.min(53, -Math.log2(Math.min(...values.map(Math.abs))));
        expect(count).toBe(values.length);
        for (const bits of [mean, median]) {
          expect(bits).toBeGreaterThanOrEqual(minimum - 1e-9);
          expect(bits).toBeLessThanOrEqual(most + 1e-9);
        }
      }),
      { numRuns: 200, seed: 12 },
    );
  });

  test('refuses lists of different length, and empty ones', () => {
    for (const [a, b] of [
      [[1], [1, 2]],
      [[], []],
    ] as const) {
      expect(() => precisionReport(a, b)).toThrow(expect.objectContaining({ code: 'ENCODE_INVALID' }));
    }
  });
});

test('precisionTable aligns reports by name', () => {
  const table = precisionTable({ logits: precisionReport([0.5, 0.25], [0, 0]), y: precisionReport([0.125], [0]) });
  expect(table).toBe(
    [
      'bits    minimum     mean   median   values',
      'logits      1.0      1.5      1.5        2',
      'y           3.0      3.0      3.0        1',
    ].join('\n'),
  );
});

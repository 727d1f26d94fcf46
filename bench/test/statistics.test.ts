import { describe, expect, test } from '@jest/globals';
import { argMax, bitsOfPrecision, median } from '../src/statistics.ts';

describe('bits of precision', () => {
  test('are those of the largest difference', () => {
    expect(bitsOfPrecision([1, 2.125, -3], [1, 2, -3.0625])).toBe(3);
  });

  test('of equal values are those of a float32, so that JSON keeps them', () => {
    expect(bitsOfPrecision([1, -4], [1, -4])).toBe(22);
    expect(JSON.parse(JSON.stringify({ bits: bitsOfPrecision([0, 0], [0, 0]) })).bits).toBe(124);
  });

  test('are refused for what is no number, or missing', () => {
    expect(() => bitsOfPrecision([1, Number.NaN], [1, 2])).toThrow('value 1 is NaN where 2 is expected');
    expect(() => bitsOfPrecision([1], [1, 2])).toThrow('value 1 is undefined');
  });
});

test('the median of an even number of values is between the middle ones', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
});

test('the first of equal largest values is the answer', () => {
  expect(argMax([1, 3, 3])).toBe(1);
});

import { describe, expect, test } from '@jest/globals';
import { compareLogits, summarise } from '../src/use/compare_logits.js';

const logits = (...values: number[]) => Float32Array.from(values);

describe('differences of logits', () => {
  test('are counted in bits of the largest', () => {
    expect(compareLogits(logits(1, 2.25), logits(1.5, 2))).toEqual({ squares: 0.3125, count: 2, largest: 0.5, bits: 1 });
  });

  test('of equal logits are what float32 can tell', () => {
    expect(compareLogits(logits(4, -1), logits(4, -1))).toEqual({ squares: 0, count: 2, largest: 0, bits: 22 });
  });

  test('of equal zeros are finite', () => {
    expect(Number.isFinite(compareLogits(logits(0), logits(0)).bits)).toBe(true);
  });

  test('are no number where a logit is missing', () => {
    expect(compareLogits(logits(1), logits(1, 2)).bits).toBeNaN();
  });

  test('are summed over logits, and bits averaged over runs', () => {
    const [near, far] = [compareLogits(logits(1), logits(1.25)), compareLogits(logits(1, 0, 0), logits(2, 0, 0))];
    expect(summarise([near, far])).toEqual({ mse: 1.0625 / 4, maxDifference: 1, bits: 1, leastBits: 0 });
  });
});

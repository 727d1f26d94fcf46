import { describe, expect, test } from '@jest/globals';
import { createSmallSampler } from '../../src/ring/small_polynomials.js';
import { chiSquareDeviation, histogram } from '../support/statistics.js';

const DEGREE = 1 << 15;
const sampler = (seed: number) => createSmallSampler(new Uint8Array(32).fill(seed));
const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
const variance = (values: Float64Array) => mean(values.map((v) => v * v)) - mean(values) ** 2;

describe('small random polynomials', () => {
  test('ternary ones are uniform', () => {
    const counts = histogram(
      sampler(1)
        .ternary(DEGREE)
        .map((v) => v + 1),
      3,
    );
    expect(counts.reduce((a, b) => a + b)).toBe(DEGREE);
    expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4);
  });

  test('errors are centred, of variance 21 / 2, and at most 21', () => {
    const errors = sampler(2).error(DEGREE);
    expect(Math.abs(mean(errors))).toBeLessThan(0.1);
    expect(Math.abs(variance(errors) - 10.5)).toBeLessThan(0.4);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(21);
  });

  test.each([1, 20, 48])('uniform ones of %d bits fill their range', (bits) => {
    const values = sampler(3).uniform(DEGREE, bits);
    const buckets = Math.min(16, 2 ** bits);
    const counts = histogram(
      values.map((v) => Math.floor(((v + 2 ** (bits - 1)) * buckets) / 2 ** bits)),
      buckets,
    );
    expect(counts.reduce((a, b) => a + b)).toBe(DEGREE);
    expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4);
    expect(values.every(Number.isInteger)).toBe(true);
  });

  test('differ by key, and repeat with it', () => {
    expect(sampler(4).ternary(64)).toEqual(sampler(4).ternary(64));
    expect(sampler(4).ternary(64)).not.toEqual(sampler(5).ternary(64));
    expect(() => createSmallSampler(new Uint8Array(16))).toThrow(expect.objectContaining({ code: 'MASK_MISMATCH' }));
  });
});

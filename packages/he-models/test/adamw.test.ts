import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { adamWStep, clipByGlobalNorm, cosineSchedule, zeroMoments } from '../src/train/adamw.js';

describe('adamWStep', () => {
  test('follows the published algorithm', () => {
    const gradients = [0.3, -1.2, 0.7];
    const values = Float32Array.of(2);
    const moments = zeroMoments(1);
    let [theta, m, v] = [2, 0, 0];
    gradients.forEach((g, index) => {
      const step = index + 1;
      adamWStep(values, Float32Array.of(g), moments, { learningRate: 0.01, weightDecay: 0.1, step });
      m = 0.9 * m + 0.1 * g;
      v = 0.98 * v + 0.02 * g * g;
      theta = theta - 0.01 * 0.1 * theta - (0.01 * m) / (1 - 0.9 ** step) / (Math.sqrt(v / (1 - 0.98 ** step)) + 1e-8);
    });
    expect(values[0]).toBeCloseTo(theta, 6);
  });

  test('finds the minimum of a parabola', () => {
    const values = Float32Array.of(5, -3);
    const moments = zeroMoments(2);
    for (let step = 1; step <= 500; step += 1) {
      adamWStep(
        values,
        values.map((value) => value - 1),
        moments,
        { learningRate: 0.05, weightDecay: 0, step },
      );
    }
    expect(values[0]).toBeCloseTo(1, 2);
    expect(values[1]).toBeCloseTo(1, 2);
  });
});

describe('cosineSchedule', () => {
  test('rises linearly, peaks after the warm-up and ends at zero', () => {
    expect(cosineSchedule(5, 100, 2, 0.1)).toBeCloseTo(1);
    expect(cosineSchedule(10, 100, 2, 0.1)).toBeCloseTo(2);
    expect(cosineSchedule(55, 100, 2, 0.1)).toBeCloseTo(1);
    expect(cosineSchedule(100, 100, 2, 0.1)).toBeCloseTo(0);
  });
});

describe('clipByGlobalNorm', () => {
  test('bounds the norm and keeps the direction', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 20 }), (entries) => {
        const before = Float32Array.from(entries);
        const parts = [before.slice(0, 1), before.slice(1)];
        clipByGlobalNorm(parts, 1);
        const norm = Math.hypot(...before);
        const factor = norm > 1 ? 1 / norm : 1;
        parts
          .flatMap((part) => [...part])
          .forEach((value, index) => {
            expect(value).toBeCloseTo(before[index]! * factor, 5);
          });
      }),
    );
  });
});

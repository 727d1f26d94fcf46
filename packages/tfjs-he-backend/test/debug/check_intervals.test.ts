import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { checkIntervals } from '../../src/debug/index.js';
import { polynomial, reciprocal } from '../../src/index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('checkIntervals', () => {
  const body = (x: tf.Tensor, y: tf.Tensor) =>
    tf.add(reciprocal(tf.add(x, 1), { interval: [1, 4] }), polynomial(y, [0.1, 0.2], { basis: 'chebyshev', interval: [-2, 2] }));
  const shapes = { inputShapes: { x: [3], y: [3] } };

  test('tells the range of every operand and how many values are outside', async () => {
    const checks = await checkIntervals(
      body,
      [
        [0, 1, 5],
        [-1, 0, 1],
      ],
      shapes,
    );
    expect(checks.map(({ op, interval, range, outside, count }) => ({ op, interval, range, outside, count }))).toEqual([
      { op: 'HeReciprocal', interval: [1, 4], range: [1, 6], outside: 1, count: 3 },
      { op: 'HePolynomial', interval: [-2, 2], range: [-1, 1], outside: 0, count: 3 },
    ]);
  });

  test('has nothing to tell of a polynomial in powers, which has no interval', async () => {
    expect(await checkIntervals((x: tf.Tensor) => polynomial(x, [1, 2, 3]), [[9]], { inputShape: [1] })).toEqual([]);
  });

  test('refuses a wrong number of inputs', async () => {
    await expect(checkIntervals(body, [[0, 1, 5]], shapes)).rejects.toMatchObject({ code: 'ENCODE_INVALID', op: 'checkIntervals' });
  });
});

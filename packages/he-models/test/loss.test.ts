import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { lookup } from '../src/train/lookup.js';
import { smoothedCrossEntropy } from '../src/train/loss.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('lookup', () => {
  test('gives the rows of the table', () => {
    const table = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    expect([...lookup(table, Int32Array.of(2, 0, 2)).dataSync()]).toEqual([5, 6, 1, 2, 5, 6]);
  });

  test('its gradient sums over repeated rows, as that of a product with one-hot rows', () => {
    const ids = Int32Array.of(2, 0, 2);
    const upstream = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const table = tf.zeros([3, 2]);
    const gradient = tf.grad((t) => tf.mul(lookup(t, ids), upstream))(table);
    const reference = tf.matMul(tf.oneHot(tf.tensor1d(ids, 'int32'), 3, 1, 0, 'float32'), upstream, true);
    expect([...gradient.dataSync()]).toEqual([...reference.dataSync()]);
  });
});

describe('smoothedCrossEntropy', () => {
  test('is the mean over rows of -sum(target * log softmax)', () => {
    const logits = [
      [1, 2, 3],
      [0, -1, 0.5],
    ];
    const labels = [2, 0];
    const smoothing = 0.1;
    const expected = logits.map((row, index) => {
      const total = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
      return row.reduce((sum, value, k) => sum - (smoothing / 3 + (k === labels[index] ? 1 - smoothing : 0)) * (value - total), 0);
    });
    const loss = smoothedCrossEntropy(tf.tensor2d(logits), Int32Array.from(labels), smoothing).dataSync()[0];
    expect(loss).toBeCloseTo((expected[0]! + expected[1]!) / 2, 5);
  });
});

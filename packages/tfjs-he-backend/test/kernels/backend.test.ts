import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { evaluateGraph, traceFunction } from '../../src/index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the backend he', () => {
  test('computes plaintext at once, unsupported kernels included', async () => {
    await tf.setBackend('he');
    try {
      const values = tf.tidy(() => tf.softmax(tf.tensor1d([1, 1, 1, 1])).dataSync());
      expect([...values]).toEqual([0.25, 0.25, 0.25, 0.25]);
    } finally {
      await tf.setBackend('cpu');
    }
  });

  test.each([
    ['fill', () => tf.fill([2], 7), [7, 7]],
    ['range', () => tf.range(0, 3), [0, 1, 2]],
    ['linspace', () => tf.linspace(0, 1, 3), [0, 0.5, 1]],
    ['oneHot', () => tf.oneHot(tf.tensor1d([1], 'int32'), 2), [0, 1]],
  ])('makes constants that meet encrypted tensors: %s', async (_, constant, expected) => {
    const x = new Float64Array(expected.length).fill(0.5);
    const graph = await traceFunction(
      (t) => tf.add(tf.reshape(constant(), [expected.length]), t as tf.Tensor),
      [{ name: 'x', shape: [expected.length] }],
    );
    expect([...evaluateGraph(graph, new Map([['x', x]]))[0]!]).toEqual(expected.map((value) => value + 0.5));
  });

  test('the gradient of a pool of an encrypted tensor is plaintext when that of its result is', async () => {
    const attrs = { filterSize: 2, strides: 2, pad: 'valid' as const };
    const graph = await traceFunction(
      (x) => {
        const dx = tf.engine().runKernel('AvgPoolGrad', { dy: tf.ones([1, 1, 1, 1]), input: x as tf.Tensor }, attrs) as tf.Tensor;
        return tf.add(x as tf.Tensor, dx.dataSync()[3]!);
      },
      [{ name: 'x', shape: [1, 2, 2, 1] }],
    );
    expect([...evaluateGraph(graph, new Map([['x', [0, 0, 0, 0]]]))[0]!]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  test('saving an encrypted tensor for a custom gradient is no leak', async () => {
    const square = tf.customGrad((x, save) => {
      (save as tf.GradSaveFunc)([x as tf.Tensor]);
      return { value: tf.square(x as tf.Tensor), gradFunc: (dy) => dy };
    });
    const isTest = tf.env().getBool('IS_TEST');
    tf.env().set('IS_TEST', true);
    try {
      const graph = await traceFunction((x) => square(x as tf.Tensor), [{ name: 'x', shape: [2] }]);
      expect(graph[0]!.kind).toBe('product');
    } finally {
      tf.env().set('IS_TEST', isTest);
    }
  });

  test('keeps no tensor after a trace', async () => {
    await traceFunction((x) => tf.sum(tf.square(x as tf.Tensor)), [{ name: 'x', shape: [4] }]);
    const before = tf.memory().numTensors;
    await traceFunction((x) => tf.square(tf.matMul(x as tf.Tensor, tf.ones([4, 2]))), [{ name: 'x', shape: [3, 4] }]);
    expect(tf.memory().numTensors).toBe(before);
    expect(tf.getBackend()).toBe('cpu');
  });
});

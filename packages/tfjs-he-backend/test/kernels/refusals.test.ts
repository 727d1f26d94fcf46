import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { encryptedKernelNames } from '../../src/backend/register.js';
import { HeError, traceFunction } from '../../src/index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('what encrypted tensors refuse', () => {
  const trace = (body: (x: tf.Tensor) => unknown) => traceFunction((x) => body(x as tf.Tensor), [{ name: 'x', shape: [2, 3] }]);

  test.each([
    ['Softmax', (x: tf.Tensor) => tf.softmax(x), 'PowerSoftmax'],
    ['Relu', (x: tf.Tensor) => tf.relu(x), 'polynomial'],
    ['Exp', (x: tf.Tensor) => tf.exp(x), 'PowerSoftmax'],
    ['ArgMax', (x: tf.Tensor) => tf.argMax(x), 'client'],
    [
      'FusedConv2D',
      (x: tf.Tensor) =>
        tf.fused.conv2d({
          x: tf.reshape<tf.Rank.R4>(x, [1, 2, 3, 1]),
          filter: tf.ones<tf.Rank.R4>([1, 1, 1, 1]),
          strides: 1,
          pad: 0,
          activation: 'relu',
        }),
      'toPolynomial',
    ],
    [
      'FusedBatchNorm',
      (x: tf.Tensor) => tf.batchNorm(x as tf.Tensor2D, tf.zeros([3]), tf.reshape(tf.slice(x, 0, 1), [3]) as tf.Tensor1D),
      'plaintext',
    ],
    ['RealDiv', (x: tf.Tensor) => tf.div(tf.onesLike(tf.zeros([2, 3])), x), 'reciprocal'],
    ['Rsqrt', (x: tf.Tensor) => tf.rsqrt(x), 'rsqrt(x'],
    ['Complex', (x: tf.Tensor) => tf.complex(x, x), 'two tensors'],
  ])('%s throws KERNEL_UNSUPPORTED with its name and a way out', async (name, body, hint) => {
    await expect(trace(body)).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED', op: name, hint: expect.stringContaining(hint) });
  });

  test('reading an encrypted tensor throws READ_ENCRYPTED', async () => {
    await expect(trace((x) => x.dataSync())).rejects.toMatchObject({ code: 'READ_ENCRYPTED' });
  });

  test.each([0.5, -1, 257])('x to the power of %d is refused', async (exponent) => {
    await expect(trace((x) => tf.pow(x, exponent))).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED', op: 'Pow' });
  });

  test('an einsum whose subscripts have two extents is refused', async () => {
    await expect(trace((x) => tf.einsum('ij,jk->ik', x, tf.ones([2, 2])))).rejects.toMatchObject({ code: 'GRAPH_INVALID', op: 'Einsum' });
  });

  test('a running product over more than 256 elements is refused', async () => {
    await expect(trace((x) => tf.cumprod(tf.tile(x, [1, 86]), 1))).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED', op: 'Cumprod' });
  });

  test('every kernel without an encrypted form throws KERNEL_UNSUPPORTED with a replacement of its own', async () => {
    const names = tf
      .getKernelsForBackend('he')
      .map(({ kernelName }) => kernelName)
      .filter((name) => !encryptedKernelNames.includes(name));
    expect(names.length).toBeGreaterThan(90);
    const refusals: [string, unknown][] = [];
    await trace((x) => {
      for (const name of names) {
        try {
          tf.engine().runKernel(name, { x });
        } catch (error) {
          refusals.push([name, error]);
        }
      }
      return x;
    });
    expect(refusals.map(([name]) => name)).toEqual(names);
    const general = refusals.filter(([name, error]) => {
      expect(error).toBeInstanceOf(HeError);
      expect(error).toMatchObject({ code: 'KERNEL_UNSUPPORTED', op: name });
      return (error as HeError).hint.startsWith('Use linear operations');
    });
    expect(general.map(([name]) => name)).toEqual([]);
  });

  test('every kernel name of tfjs-core is there, but for the one that must not be', () => {
    const names = Object.entries(tf)
      .filter(([name, value]) => /^_?[A-Z]\w+$/.test(name) && value === name)
      .map(([name]) => name);
    expect(names.length).toBeGreaterThan(150);
    expect(names.filter((name) => !tf.getKernel(name, 'he'))).toEqual(['FromPixels']);
  });

  test('a 3-d convolution of two encrypted tensors is refused', async () => {
    const body = (x: tf.Tensor) => {
      const image = tf.reshape<tf.Rank.R5>(x, [1, 1, 2, 3, 1]);
      return tf.conv3d(image, tf.reshape<tf.Rank.R5>(x, [1, 2, 3, 1, 1]), 1, 'same');
    };
    await expect(trace(body)).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED', op: 'Conv3D' });
  });

  test('Pack of tensors of two types is refused, as other backends do', async () => {
    await expect(trace((x) => tf.stack([x, tf.ones([2, 3], 'int32')]))).rejects.toMatchObject({ code: 'GRAPH_INVALID', op: 'Pack' });
  });

  test('a product over more than 256 elements is refused', async () => {
    await expect(trace((x) => tf.prod(tf.tile(x, [43, 1])))).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED', op: 'Prod' });
  });

  test('a division by a plaintext zero is refused', async () => {
    await expect(trace((x) => tf.div(x, 0))).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED' });
  });
});

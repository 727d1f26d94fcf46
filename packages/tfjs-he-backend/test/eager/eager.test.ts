import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as he from '../../src/eager/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const MOCK = { engine: 'mock', polyModulusDegrees: [8192] } as const;

const w = () => tf.tensor2d([...randomValues(12, 2)], [4, 3]);
const formula = (x: tf.Tensor) => tf.add(tf.square(tf.matMul(x as tf.Tensor2D, w())), tf.tensor1d([1, 2, 3]));
const values = tf.tensor2d([...randomValues(8, 1)], [2, 4]);

beforeEach(async () => {
  await tf.setBackend('he');
});
afterEach(async () => {
  await tf.setBackend('cpu');
});

describe('eager encrypted tensors', () => {
  test('record what is asked of them, and decrypt to what tfjs computes', async () => {
    const y = formula(he.encrypt(values));
    const clear = await he.decrypt(y, MOCK);
    expect(clear.shape).toEqual([2, 3]);
    expect(bitsOfAgreement(await clear.data(), formula(values).dataSync())).toBeGreaterThan(12);
  });

  test('run on ciphertexts of SEAL', async () => {
    const x = he.encrypt(tf.tensor1d([1, 2, 3]));
    const clear = await he.decrypt(tf.add(tf.mul(x, x), 0.5), { polyModulusDegrees: [4096, 8192] });
    expect(bitsOfAgreement(await clear.data(), [1.5, 4.5, 9.5])).toBeGreaterThan(10);
  });

  test('several inputs and several results are one program', async () => {
    const [a, b] = [he.encrypt(tf.tensor1d([1, 2])), he.encrypt(tf.tensor1d([3, 4]))];
    const results = await he.decrypt([tf.mul(a, b), tf.sub(a, b)], MOCK);
    const numbers = await Promise.all(results.map((t) => t.data()));
    expect(bitsOfAgreement(numbers[0]!, [3, 8])).toBeGreaterThan(10);
    expect(bitsOfAgreement(numbers[1]!, [-2, -2])).toBeGreaterThan(10);
  });

  test('an input decrypts to itself, and what cancels out to zero', async () => {
    const x = he.encrypt(tf.tensor1d([1, 2]));
    const [same, zero] = await he.decrypt([x, tf.sub(x, x)], MOCK);
    expect(bitsOfAgreement(await same!.data(), [1, 2])).toBeGreaterThan(10);
    expect([...(await zero!.data())]).toEqual([0, 0]);
  });

  test('are read by data() while a client is attached, and by dataSync() never', async () => {
    const y = tf.square(he.encrypt(tf.tensor1d([3])));
    await expect(y.data()).rejects.toMatchObject({ code: 'READ_ENCRYPTED' });
    const detach = he.attachClient(MOCK);
    try {
      expect(bitsOfAgreement(await y.data(), [9])).toBeGreaterThan(10);
      expect(() => y.dataSync()).toThrow(expect.objectContaining({ code: 'READ_ENCRYPTED' }));
    } finally {
      detach();
    }
    await expect(y.data()).rejects.toMatchObject({ code: 'READ_ENCRYPTED', hint: expect.stringContaining("decrypt of 'tfjs-he-backend'") });
  });

  test('report progress of compiling, of keys and of operations by kernel', async () => {
    const seen = new Set<string>();
    await he.decrypt(tf.square(he.encrypt(tf.tensor1d([3]))), {
      ...MOCK,
      onProgress: (event) => seen.add('name' in event ? event.name : event.type),
    });
    expect([...seen]).toEqual(['compile', 'keys', 'Square']);
  });

  test('a run can be cancelled', async () => {
    const controller = new AbortController();
    const running = he.decrypt(tf.square(he.encrypt(tf.tensor1d([3]))), {
      ...MOCK,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('leave no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const x = he.encrypt(values);
    const y = tf.tidy(() => formula(x));
    (await he.decrypt(y, MOCK)).dispose();
    x.dispose();
    y.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([
    ['NaN', () => tf.tensor1d([1, Number.NaN])],
    ['no elements', () => tf.zeros([0])],
    ['strings', () => tf.tensor1d(['a'])],
  ])('%s are refused', (_, make) => {
    expect(() => he.encrypt(make())).toThrow(expect.objectContaining({ code: 'ENCODE_INVALID' }));
  });

  test('another active backend is refused, and plaintext is not decrypted', async () => {
    await expect(he.decrypt(tf.ones([2]), MOCK)).rejects.toMatchObject({ code: 'GRAPH_INVALID' });
    await tf.setBackend('cpu');
    expect(() => he.encrypt(tf.ones([2]))).toThrow(expect.objectContaining({ code: 'GRAPH_INVALID' }));
  });

  test('a compiled function that uses one besides its inputs is refused', async () => {
    const outside = he.encrypt(tf.tensor1d([1, 2]));
    await expect(he.compile((x) => tf.add(x, outside), { inputShape: [2] })).rejects.toMatchObject({ code: 'GRAPH_INVALID' });
  });
});

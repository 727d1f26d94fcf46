import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import * as he from '../../src/eager/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const SMALL = { polyModulusDegrees: [8192] };

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const model = () => sequential({ layers: [layers.dense({ units: 5, inputShape: [4] }), layers.dense({ units: 2 })] });

describe('runner', () => {
  test('the same call on the same model agrees in the clear, on mock, on SEAL and on simd', async () => {
    const net = model();
    const x = tf.tensor2d([...randomValues(4, 1)], [1, 4]);
    const results: Float32Array[] = [];
    const modes = [{ fhe: 'disable' }, { fhe: 'simulate' }, { fhe: 'execute' }, { fhe: 'execute', engine: 'simd' }] as const;
    for (const mode of modes) {
      const run = await he.runner(net, { ...SMALL, ...mode });
      try {
        const y = (await run.predict(x)) as tf.Tensor;
        expect(y.shape).toEqual([1, 2]);
        results.push((await y.data()) as Float32Array);
      } finally {
        run.dispose();
      }
    }
    for (const encrypted of results.slice(1)) expect(bitsOfAgreement(encrypted, results[0]!)).toBeGreaterThan(12);
  });

  test('rows of a batch come back as a batch', async () => {
    const net = model();
    const x = tf.tensor2d([...randomValues(12, 2)], [3, 4]);
    const run = await he.runner(net, { ...SMALL, fhe: 'simulate' });
    const before = tf.memory().numTensors;
    const y = (await run.predict(x)) as tf.Tensor;
    expect(y.shape).toEqual([3, 2]);
    expect(bitsOfAgreement(y.dataSync(), (net.predict(x) as tf.Tensor).dataSync())).toBeGreaterThan(12);
    expect(tf.memory().numTensors).toBe(before + 2);
    run.dispose();
  });

  test.each(['disable', 'simulate'] as const)('a function of two tensors with two results, fhe: %s', async (fhe) => {
    const body = (x: tf.Tensor1D, y: tf.Tensor1D) => [tf.mul(x, y), tf.sum(x)];
    const run = await he.runner(body, { ...SMALL, fhe, inputShapes: { x: [3], y: [3] } });
    const [product, sum] = (await run.predict([tf.tensor1d([1, 2, 3]), tf.tensor1d([4, 5, 6])])) as tf.Tensor[];
    expect(bitsOfAgreement(product!.dataSync(), [4, 10, 18])).toBeGreaterThan(10);
    expect([sum!.shape, Math.round(sum!.dataSync()[0]!)]).toEqual([[], 6]);
    run.dispose();
  });

  test('reports compiling, keys and layers, and can be cancelled', async () => {
    const seen = new Set<string>();
    const onProgress = ({ type }: he.EagerProgress) => seen.add(type);
    const run = await he.runner(model(), { ...SMALL, fhe: 'simulate', onProgress });
    await run.predict(tf.ones([1, 4]), { onProgress });
    expect([...seen]).toEqual(['compile', 'keys', 'layer', 'layerEnd']);
    await expect(run.predict(tf.ones([1, 4]), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(he.runner(model(), { ...SMALL, fhe: 'simulate', signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    run.dispose();
  });

  test('inputs of another shape are ENCODE_INVALID and the hint says which are wanted', async () => {
    const run = await he.runner(model(), { ...SMALL, fhe: 'simulate' });
    await expect(run.predict(tf.ones([1, 3]))).rejects.toMatchObject({ code: 'ENCODE_INVALID', hint: expect.stringContaining('[1, 4]') });
    run.dispose();
  });
});

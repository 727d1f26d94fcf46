import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor, sequential, model as tfModel } from '@tensorflow/tfjs-layers';
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

  test('batch: auto packs inputs while they fit, and runs what is left filled up with zeros', async () => {
    const net = model();
    const x = tf.tensor2d([...randomValues(4 * 70, 3)], [70, 4]);
    const run = await he.runner(net, { ...SMALL, fhe: 'simulate', batch: 'auto' });
    expect(run.program!.inputs.map(({ layout }) => [layout.shape[0], layout.ciphertexts])).toEqual([[64, 1]]);
    const y = (await run.predict(x)) as tf.Tensor;
    expect(y.shape).toEqual([70, 2]);
    expect(bitsOfAgreement(y.dataSync(), (net.predict(x) as tf.Tensor).dataSync())).toBeGreaterThan(12);
    run.dispose();
  });

  test('a batch of attention runs as a batch on SEAL', async () => {
    const net = sequential({ layers: [layers.dense({ units: 3, inputShape: [4, 3], useBias: false })] });
    const input = net.inputs[0]!;
    const query = net.outputs[0] as SymbolicTensor;
    const scores = layers.dot({ axes: [2, 2] }).apply([query, input]) as SymbolicTensor;
    const attention = tfModel({ inputs: input, outputs: layers.dot({ axes: [2, 1] }).apply([scores, input]) as SymbolicTensor });
    const x = tf.tensor3d([...randomValues(3 * 12, 6)], [3, 4, 3]);
    const run = await he.runner(attention, { ...SMALL, fhe: 'execute', batch: 3 });
    const y = (await run.predict(x)) as tf.Tensor;
    expect(run.program!.inputs[0]!.layout.shape).toEqual([3, 4, 3]);
    expect(bitsOfAgreement(y.dataSync(), (attention.predict(x) as tf.Tensor).dataSync())).toBeGreaterThan(10);
    run.dispose();
  });

  test.each([
    ['0', 0],
    ['half a one', 1.5],
  ])('a batch of %s is PARAMETERS_INVALID', async (_, batch) => {
    await expect(he.runner(model(), { ...SMALL, fhe: 'simulate', batch })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID' });
  });

  test.each(['disable', 'simulate'] as const)('a function of two tensors with two results, fhe: %s', async (fhe) => {
    const body = (x: tf.Tensor1D, y: tf.Tensor1D) => [tf.mul(x, y), tf.sum(x)];
    const run = await he.runner(body, { ...SMALL, fhe, inputShapes: { x: [3], y: [3] } });
    const [product, sum] = (await run.predict([tf.tensor1d([1, 2, 3]), tf.tensor1d([4, 5, 6])])) as tf.Tensor[];
    expect(bitsOfAgreement(product!.dataSync(), [4, 10, 18])).toBeGreaterThan(10);
    expect([sum!.shape, Math.round(sum!.dataSync()[0]!)]).toEqual([[], 6]);
    run.dispose();
  });

  test('a simulation names the operation whose input leaves its interval', async () => {
    const body = (x: tf.Tensor) => he.reciprocal(tf.mul(x, 2), { interval: [1, 4], bits: 8 });
    const run = await he.runner(body, { ...SMALL, fhe: 'simulate', inputShape: [2] });
    const inside = (await run.predict(tf.tensor1d([0.5, 2]))) as tf.Tensor;
    expect(bitsOfAgreement(inside.dataSync(), [1, 0.25])).toBeGreaterThan(7);
    await expect(run.predict(tf.tensor1d([0.5, 3]))).rejects.toMatchObject({
      code: 'VALUE_OVERFLOW',
      op: 'HeReciprocal',
      message: expect.stringMatching(/1 of 2 values .* leave the interval \[1\.000, 4\.000\]: they go from 1\.000 to 6\.000/),
    });
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

  test('a mode that does not exist is PARAMETERS_INVALID, not a run on ciphertexts', async () => {
    const fhe = 'simulated' as he.FheMode;
    await expect(he.runner(model(), { ...SMALL, fhe })).rejects.toMatchObject({
      code: 'PARAMETERS_INVALID',
      hint: expect.stringContaining('simulate'),
    });
  });

  test('what is no tensor is ENCODE_INVALID', async () => {
    const run = await he.runner(model(), { ...SMALL, fhe: 'simulate' });
    const rows = [[1, 2, 3, 4]] as unknown as tf.Tensor[];
    await expect(run.predict(rows)).rejects.toMatchObject({ code: 'ENCODE_INVALID', hint: expect.stringContaining('tf.tensor') });
    run.dispose();
  });

  test('a function of a scalar has no rows to deal out', async () => {
    const run = await he.runner((x: tf.Tensor) => tf.square(x), { ...SMALL, fhe: 'simulate', inputShape: [] });
    const y = (await run.predict(tf.scalar(3))) as tf.Tensor;
    expect(y.shape).toEqual([]);
    expect(bitsOfAgreement(y.dataSync(), [9])).toBeGreaterThan(12);
    run.dispose();
  });
});

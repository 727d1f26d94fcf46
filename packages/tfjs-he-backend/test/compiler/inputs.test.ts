import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { model as functional, input, type LayersModel, layers, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { createClient, pack, unpack } from '../../src/client/index.js';
import { compile, manifestOf, type Program, profile } from '../../src/index.js';
import { createServer } from '../../src/server/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const SMALL = { polyModulusDegrees: [8192] };

/** Outputs of a program on mock, inputs by name. */
async function run(program: Program, values: Readonly<Record<string, ArrayLike<number>>>): Promise<Float32Array[]> {
  const client = await createClient(manifestOf(program), { engine: 'mock' });
  const server = await createServer(program, { engine: 'mock' });
  const { inputs, outputs } = server.manifest;
  const { slots } = client.parameters;
  const session = await server.openSession(await client.evaluationKeys());
  const sent = inputs.flatMap((layout) => client.encrypt(pack(values[layout.name]!, layout, slots)));
  const result = await session.run(sent, { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
  return outputs.map((layout, i) => unpack(client.decrypt([result.outputs[i]!]), layout, slots));
}

/** dense(x) * dense(y), and the first alone. */
function twoTowers() {
  const x = input({ shape: [4], name: 'x' });
  const y = input({ shape: [3], name: 'y' });
  const left = layers.dense({ units: 2, name: 'left' }).apply(x) as SymbolicTensor;
  const right = layers.dense({ units: 2, name: 'right' }).apply(y) as SymbolicTensor;
  const product = layers.multiply({ name: 'both' }).apply([left, right]) as SymbolicTensor;
  return functional({ inputs: [x, y], outputs: [product, left] });
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('programs of several inputs', () => {
  test('a functional model with two inputs and two outputs runs on mock under its input names', async () => {
    const model = twoTowers();
    const program = await compile(model, SMALL);
    const x = randomValues(4, 1);
    const y = randomValues(3, 2);
    expect(program.inputs.map(({ layout }) => layout.name)).toEqual(['x', 'y']);
    const [product, left] = await run(program, { x, y });
    const expected = model.predict([tf.tensor2d([...x], [1, 4]), tf.tensor2d([...y], [1, 3])]) as tf.Tensor[];
    expect(bitsOfAgreement(product!, expected[0]!.dataSync())).toBeGreaterThan(12);
    expect(bitsOfAgreement(left!, expected[1]!.dataSync())).toBeGreaterThan(12);
  });

  test('a function of named tensors returns several', async () => {
    const body = (x: tf.Tensor2D, y: tf.Tensor1D) => [tf.matMul(x, tf.reshape<tf.Rank.R2>(y, [3, 1])), tf.square(y)];
    const program = await compile(body, { ...SMALL, inputShapes: { x: [2, 3], y: [3] } });
    const x = randomValues(6, 3);
    const y = randomValues(3, 4);
    const actual = await run(program, { x, y });
    const expected = body(tf.tensor2d([...x], [2, 3]), tf.tensor1d([...y]));
    expect(program.outputs.map(({ layout }) => layout.shape)).toEqual([[2, 1], [3]]);
    for (const [i, values] of actual.entries()) expect(bitsOfAgreement(values, expected[i]!.dataSync())).toBeGreaterThan(12);
  });

  test('a function of one tensor takes inputShape', async () => {
    const program = await compile((x) => tf.square(x), { ...SMALL, inputShape: [5] });
    const [squares] = await run(program, { input: [1, 2, 3, 4, 5] });
    expect(bitsOfAgreement(squares!, [1, 4, 9, 16, 25])).toBeGreaterThan(10);
  });

  test('a batch of eight runs as one input, in at most two more key switches', async () => {
    const model = sequential({ layers: [layers.dense({ units: 8, inputShape: [8] }), layers.dense({ units: 8 })] });
    const one = await compile(model, SMALL);
    const eight = await compile(model, { ...SMALL, inputShape: [8, 8] });
    const x = randomValues(64, 7);
    const [actual] = await run(eight, { input: x });
    const expected = model.predict(tf.tensor2d([...x], [8, 8])) as tf.Tensor;
    expect(bitsOfAgreement(actual!, expected.dataSync())).toBeGreaterThan(10);
    expect(profile(eight).keySwitches).toBeLessThanOrEqual(profile(one).keySwitches + 2);
  });

  test.each([
    ['a function without shapes', () => compile((x) => x, SMALL), 'inputShapes'],
    ['a dimension of zero', () => compile((x) => x, { ...SMALL, inputShape: [0] }), 'inputShape'],
    ['an unknown input name', () => compile(twoTowers(), { ...SMALL, inputShapes: { z: [1, 4] } }), 'x, y'],
    ['one shape for two inputs', () => compile(twoTowers(), { ...SMALL, inputShape: [1, 4] }), 'x, y'],
    ['an unknown dimension', () => compile(twoTowers(), { ...SMALL, inputShapes: { x: [1, 0] } }), '[1, 32, 64]'],
  ])('%s is GRAPH_INVALID and says what to pass', async (_, body, hint) => {
    await expect(body()).rejects.toMatchObject({ code: 'GRAPH_INVALID', hint: expect.stringContaining(hint) });
  });

  test.each([[{}], [null]])('%j is neither a model nor a function', async (source) => {
    await expect(compile(source as unknown as LayersModel, { inputShape: [1, 4] })).rejects.toMatchObject({
      code: 'GRAPH_INVALID',
      hint: expect.stringContaining('function'),
    });
  });

  test('a layer keeps the call that is its own', async () => {
    const double = layers.dense({ units: 2, inputShape: [4] });
    const own = (x: tf.Tensor | tf.Tensor[]) => tf.mul(Array.isArray(x) ? x[0]! : x, 2);
    double.call = own;
    await compile(sequential({ layers: [double] }), SMALL);
    expect(double.call).toBe(own);
  });
});

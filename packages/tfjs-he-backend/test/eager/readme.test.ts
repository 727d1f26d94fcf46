import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import * as eager from '../../src/eager/index.js';
import { bitsOfAgreement } from '../support/random.js';

const SMALL = { polyModulusDegrees: [8192] };
/** The package on the mock engine, which is faster. */
const he = {
  ...eager,
  compile: (source: Parameters<typeof eager.compile>[0], options: object) => eager.compile(source, { ...SMALL, ...options }),
  decrypt: (y: tf.Tensor) => eager.decrypt(y, { ...SMALL, engine: 'mock' }),
};

let blocks: string[] = [];

/** Runs the block of the README that has `part` in it, with these variables, and gives the values of those it declares. */
async function runBlock(part: string, variables: Record<string, unknown>, declared: string): Promise<unknown[]> {
  const code = blocks.find((block) => block.includes(part))!.replace(/^import .*$/gm, '');
  const names = ['tf', 'he', ...Object.keys(variables)];
  const run = new Function(...names, `return (async () => {${code}; return [${declared}];})();`) as (
    ...values: unknown[]
  ) => Promise<unknown[]>;
  return run(tf, he, ...Object.values(variables));
}

beforeAll(async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  blocks = [...readme.matchAll(/```js\n([\s\S]+?)```/g)].map(([, code]) => code!);
  await tf.setBackend('cpu');
});
afterEach(async () => {
  await tf.setBackend('cpu');
});

test('polynomials', async () => {
  const values = [0.5, 1, 4];
  const results = (await runBlock('he.polynomial(', { x: tf.tensor1d(values) }, 'y, z, w')) as tf.Tensor[];
  const expected = [values.map((x) => 0.5 * x + 0.25 * x * x), values.map((x) => 1 / x), values.map((x) => 1 / Math.sqrt(x))];
  for (const [i, y] of results.entries()) expect(bitsOfAgreement(y.dataSync(), expected[i]!)).toBeGreaterThan(11);
});

test('functions of several inputs', async () => {
  const [program] = (await runBlock('inputShapes: {', {}, 'program')) as eager.Program[];
  expect(program!.outputs[0]!.layout.shape).toEqual([4, 2]);
});

test('eager tensors', async () => {
  const w = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const [clear] = (await runBlock('he.encrypt(', { w, b: tf.tensor1d([1, 2]) }, 'clear')) as tf.Tensor[];
  expect(bitsOfAgreement(await clear!.data(), [(0.5 - 3) ** 2 + 1, (1 - 4) ** 2 + 2])).toBeGreaterThan(10);
});

test('one switch for all modes', async () => {
  const model = sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
  const variables = { model, x: tf.ones([1, 3]), onProgress: () => {}, signal: undefined };
  const [scores] = (await runBlock('he.runner(', variables, 'scores')) as tf.Tensor[];
  expect(scores!.shape).toEqual([1, 2]);
});

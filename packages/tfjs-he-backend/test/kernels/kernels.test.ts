import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { encryptedKernelNames, evaluateGraph, traceFunction } from '../../src/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { type Body, CASES } from './cases.js';

const list = (out: tf.Tensor | tf.Tensor[]): tf.Tensor[] => (Array.isArray(out) ? out : [out]);
const sizeOf = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('encrypted kernels record what the CPU backend computes', () => {
  for (const [index, { kernel, x, y = [1], body, operands = ['x'] }] of CASES.entries()) {
    for (const encrypted of operands) {
      test(`${kernel} #${index} with ${encrypted} encrypted`, async () => {
        const xs = Float32Array.from(randomValues(sizeOf(x), 2 * index + 1));
        const ys = Float32Array.from(randomValues(sizeOf(y), 2 * index + 2));
        const expected = list(body(tf.tensor(xs, x), tf.tensor(ys, y))).map((t) => ({ shape: t.shape, values: t.dataSync() }));
        const names = [...encrypted].map((name) => ({ name, shape: name === 'x' ? x : y }));
        const outputs = await traceFunction((inputs) => {
          const traced = list(inputs as tf.Tensor | tf.Tensor[]);
          const at = (name: string, values: Float32Array, shape: number[]) =>
            traced[names.findIndex((n) => n.name === name)] ?? tf.tensor(values, shape);
          return body(at('x', xs, x), at('y', ys, y));
        }, names);
        const actual = evaluateGraph(
          outputs,
          new Map<string, ArrayLike<number>>([
            ['x', xs],
            ['y', ys],
          ]),
        );
        expect(outputs.map((node) => node.shape)).toEqual(expected.map((e) => e.shape));
        for (const [i, e] of expected.entries()) expect(bitsOfAgreement(actual[i]!, e.values)).toBeGreaterThan(20);
      });
    }
  }

  test('BroadcastTo, which the CPU backend lacks, on encrypted and on plaintext tensors', async () => {
    const broadcast = (x: tf.Tensor) => tf.engine().runKernel('BroadcastTo', { x }, { shape: [2, 3, 2] }) as tf.Tensor;
    const column = [1, 2, 3];
    const graph = await traceFunction(
      (x) => tf.add(broadcast(x as tf.Tensor), broadcast(tf.tensor(column, [3, 1]))),
      [{ name: 'x', shape: [3, 1] }],
    );
    expect([...evaluateGraph(graph, new Map([['x', column]]))[0]!]).toEqual([2, 2, 4, 4, 6, 6, 2, 2, 4, 4, 6, 6]);
  });

  // The CPU kernels of tfjs 4.22 get these wrong (einsum returns shape [2] for the scalar): compared with what they stand for, written out.
  const sums = (axis: number | undefined) => (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.matMul(x, y), axis);
  const outer = (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(tf.expandDims(x, -1), tf.expandDims(y, -3)), -2);
  test.each<[string, number[], number[], Body, Body]>([
    ['einsum ij,jk->i', [3, 4], [4, 2], (x, y) => tf.einsum('ij,jk->i', x, y), sums(-1)],
    ['einsum ij,jk->k', [3, 4], [4, 2], (x, y) => tf.einsum('ij,jk->k', x, y), sums(0)],
    ['einsum ij,jk->', [3, 4], [4, 2], (x, y) => tf.einsum('ij,jk->', x, y), sums(undefined)],
    ['matMul broadcasting both leading axes', [2, 1, 3, 4], [5, 4, 2], (x, y) => tf.matMul(x, y), outer],
  ])('%s', async (_, xShape, yShape, body, reference) => {
    const inputs = [
      { name: 'x', shape: xShape },
      { name: 'y', shape: yShape },
    ];
    const values = new Map(inputs.map(({ name, shape }, i) => [name, randomValues(sizeOf(shape), i + 1)]));
    const evaluated = async (f: Body) => {
      const graph = await traceFunction((both) => {
        const [x, y] = list(both);
        return f(x!, y!);
      }, inputs);
      return { shape: graph[0]!.shape, values: evaluateGraph(graph, values)[0]! };
    };
    const actual = await evaluated(body);
    const expected = await evaluated(reference);
    expect(actual.shape).toEqual(expected.shape);
    expect(bitsOfAgreement(actual.values, expected.values)).toBeGreaterThan(40);
  });

  test('every encrypted kernel has a case', () => {
    expect(new Set([...CASES.map((c) => c.kernel), 'BroadcastTo'])).toEqual(new Set(encryptedKernelNames));
  });
});

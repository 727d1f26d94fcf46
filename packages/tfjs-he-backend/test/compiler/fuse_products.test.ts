import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { CircuitBuilder } from '../../src/compiler/circuit.js';
import { fuseProducts } from '../../src/compiler/fuse_products.js';
import { compileGraph, traceFunction } from '../../src/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

/** Three products of one depth, one of them doubled, and one subtracted three times. */
function body(x: tf.Tensor): tf.Tensor {
  const [a, b, c] = [tf.mul(x, 0.5), tf.reverse(x, 0), x];
  return tf.add(tf.sub(tf.add(tf.mul(tf.mul(a, b), 2), tf.square(a)), tf.mul(tf.mul(b, b), 3)), tf.add(c, 0.25));
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('products that meet in one sum', () => {
  test('are relinearised and rescaled once, and their sum is right', async () => {
    const x = randomValues(6, 2);
    const program = compileGraph(await traceFunction((input) => body(input as tf.Tensor), [{ name: 'x', shape: [6] }]), {
      polyModulusDegrees: [8192],
    });
    const ops = program.segments.flatMap(({ instructions }) => instructions.map(({ op }) => op));
    expect(ops.filter((op) => op === 'relinearize').length).toBe(1);
    const pair = await openPair(program, 'mock');
    try {
      expect(bitsOfAgreement(await pair.infer(x), body(tf.tensor1d([...x])).dataSync())).toBeGreaterThan(12);
    } finally {
      pair.dispose();
    }
  });

  test('stay apart when one is ready earlier, or is used elsewhere', () => {
    const builder = new CircuitBuilder();
    const x = builder.add('x', { kind: 'input', name: 'x' });
    const early = builder.add('early', { kind: 'product', a: x, b: x });
    const squared = builder.add('squared', { kind: 'product', a: x, b: x });
    const late = builder.add('late', { kind: 'product', a: squared, b: squared });
    const term = (source: typeof x) => ({ source, step: 0, coefficient: 1 });
    const sum = builder.add('sum', { kind: 'sum', terms: [early, late].map(term), bias: null });
    const shared = builder.add('shared', { kind: 'sum', terms: [early, squared].map(term), bias: null });
    const circuit = { values: builder.values, outputs: [sum, shared] };
    expect(fuseProducts(circuit)).toBe(circuit);
  });
});

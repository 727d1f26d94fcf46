import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { compileGraph, evaluateGraph, profile } from '../../src/index.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('products of encrypted matrices whose heads are narrower than the sequence', () => {
  // With 32 tokens and 4 heads a block does not fit twice in 4096 slots; with 8 tokens it does.
  test.each([
    ['twice in a block', 8, 2, 2],
    ['with masks', 32, 4, 2],
  ])('take as many products as a head has features: operands %s', async (_, tokens, heads, headDim) => {
    const graph = await traceAttention({ tokens, heads, headDim, labels: 3 });
    const x = randomValues(tokens * heads * headDim, 6);
    const [expected] = evaluateGraph(graph, new Map([['input', x]]));
    const program = compileGraph(graph, { polyModulusDegrees: [8192], precisionBits: 14 });
    const pair = await openPair(program, 'mock');
    try {
      expect(bitsOfAgreement(await pair.infer(x), expected!)).toBeGreaterThan(12);
    } finally {
      pair.dispose();
    }
    // A square of the scores and a gain; masks split all products but the first of the side that has them in two, at most.
    const { products } = profile(program);
    expect(products).toBeGreaterThanOrEqual(2 + 2 * headDim);
    expect(products).toBeLessThanOrEqual(2 + 2 * (2 * headDim - 1));
  });
});

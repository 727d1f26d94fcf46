import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type Program, traceFunction } from '../../src/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

function compileScaled(weights: readonly number[]): Promise<Program> {
  const matrix = tf.tensor2d(weights.map((w, row) => weights.map((_, col) => (col === (row + 1) % 4 ? w : row === col ? 1e-13 : 0))));
  return traceFunction((x) => tf.add(tf.matMul(x as tf.Tensor, matrix), 0.5), [{ name: 'x', shape: [1, 4] }]).then((graph) =>
    compileSmall(graph),
  );
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('weights that vanish when they are encoded', () => {
  test('are left out', async () => {
    const program = await compileScaled([1, 0.5, -1, 2]);
    const factors = program.segments.flatMap(({ instructions }) => instructions.filter(({ op }) => /Plain/.test(op)));
    // One diagonal of weights, one bias.
    expect(factors.length).toBe(2);
  });

  test('are replaced by the smallest factor there is when there are no others: SEAL gets no transparent ciphertext', async () => {
    const pair = await openPair(await compileScaled([1e-14, 0, 0, 1e-14]), 'seal');
    try {
      expect(bitsOfAgreement(await pair.infer(randomValues(4, 1)), [0.5, 0.5, 0.5, 0.5])).toBeGreaterThan(12);
    } finally {
      pair.dispose();
    }
  });
});

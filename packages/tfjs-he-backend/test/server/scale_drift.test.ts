import { expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { evaluateGraph, profile, traceFunction } from '../../src/index.js';
import { randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

const ELEMENTS = 512;
const STEPS = 20;

// A scale that is off by one part in a million per level would show as a bias a hundred times the statistical error of the mean.
test('the scale does not drift over twenty squarings with refreshes between: the mean error is that of noise', async () => {
  await tf.setBackend('cpu');
  const iterate = (x: tf.Tensor): tf.Tensor => {
    let v = x;
    // Contractive on [0, 1], so that errors of early steps do not grow.
    for (let i = 0; i < STEPS; i++) v = tf.add(tf.mul(tf.square(v), 0.5), 0.3);
    return v;
  };
  const graph = await traceFunction((x) => iterate(x as tf.Tensor), [{ name: 'x', shape: [ELEMENTS] }]);
  const program = compileSmall(graph);
  expect(profile(program).refreshes).toBeGreaterThan(4);
  const x = randomValues(ELEMENTS, 7).map(Math.abs);
  const [exact] = evaluateGraph(graph, new Map([['x', x]]));
  const pair = await openPair(program, 'seal');
  try {
    const { outputs } = await pair.session.run(pair.encrypt(x), { refresh: async (masked) => pair.client.refresh(masked) });
    const [values] = pair.client.decrypt(outputs);
    const errors = pair.server.manifest.outputs[0]!.slotOf.map((slot, i) => values![slot]! - exact![i]!);
    const mean = errors.reduce((a, b) => a + b) / ELEMENTS;
    const deviation = Math.sqrt(errors.reduce((a, b) => a + (b - mean) ** 2, 0) / ELEMENTS);
    expect(deviation).toBeLessThan(2 ** -20);
    expect(Math.abs(mean)).toBeLessThan((6 * deviation) / Math.sqrt(ELEMENTS));
  } finally {
    pair.dispose();
  }
});

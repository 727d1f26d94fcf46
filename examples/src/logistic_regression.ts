import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Dataset, Example } from './example.ts';
import { fit, weights } from './training.ts';

const FEATURES = 16;

/** A linear score; whoever decrypts it applies the sigmoid, so the server needs no polynomial for it. */
export const logisticRegression: Example = {
  name: 'logistic-regression',
  shows: 'a linear score of 16 features; the sigmoid stays with the client',
  classes: ['decline', 'accept'],

  async train(log) {
    const [train, test] = [applicants(600, 1), applicants(200, 2)];
    const score = tfl.layers.dense({ name: 'score', units: 1, inputShape: [FEATURES], ...weights(3) });
    const model = tfl.sequential({ layers: [score] });
    await fit(model, train, test, { epochs: 10, optimizer: tf.train.adam(0.03), log });
    return { model, test };
  },
};

/** Normal features; the odds of being accepted are the exponential of a hidden linear score. */
function applicants(count: number, seed: number): Dataset {
  const x = tf.randomNormal([count, FEATURES], 0, 1, 'float32', seed) as tf.Tensor2D;
  const hidden = tf.randomNormal([FEATURES, 1], 0, 1.5, 'float32', 77) as tf.Tensor2D;
  const chance = tf.randomUniform([count, 1], 0, 1, 'float32', seed + 100);
  const targets = tf.cast(tf.less(chance, tf.sigmoid(tf.matMul(x, hidden))), 'float32');
  return { x, targets, labels: Array.from(targets.dataSync()) };
}

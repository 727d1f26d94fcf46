import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, formatReport, toPolynomial, withRangeLoss } from 'tfjs-power-softmax';
import type { Dataset, Example } from './example.ts';
import { accuracy, fit, oneHot, weights } from './training.ts';

const TOKENS = 8;
const PAIRS = 4;
const FEATURES = 16;

/** An encoder block with PowerSoftmax, trained as rational functions on narrow ranges, then made polynomial by tfjs-power-softmax. */
export const transformer: Example = {
  name: 'transformer',
  shows: 'an encoder block with PowerSoftmax that looks up the value of a key; refreshed when levels run out',
  classes: ['red', 'green', 'blue', 'yellow'],

  async train(log) {
    const [train, test] = [lookups(800, 1), lookups(200, 2)];
    const tokens = tfl.input({ shape: [TOKENS, FEATURES], name: 'tokens' });
    const block = new EncoderBlock({ name: 'block', numHeads: 2, keyDim: 8, hiddenDim: 32, epsilon: 0.3, normEpsilon: 0.3, seed: 3 });
    const pooled = tfl.layers.globalAveragePooling1d({ name: 'pool' }).apply(block.apply(tokens));
    const scores = tfl.layers.dense({ name: 'value', units: PAIRS, ...weights(4) }).apply(pooled);
    const model = tfl.model({ inputs: tokens, outputs: scores as tfl.SymbolicTensor });
    const targets = { reciprocal: { upper: 3 }, rsqrt: { upper: 3 }, gelu: { lower: -3, upper: 3 } };
    await fit(model, train, test, { epochs: 5, optimizer: withRangeLoss(tf.train.adam(0.02), { targets }), log });

    const { model: polynomial, report } = toPolynomial(model, { calibration: train.x, bits: 7, margin: 1.5 });
    log(formatReport(report));
    log(`accuracy of the polynomial model: ${(100 * accuracy(polynomial, test)).toFixed(1)} %`);
    return { model: polynomial, test };
  },
};

/** Four pairs of key and value in any order after the key that is asked for, then padding: rows of zeros, which PowerSoftmax ignores. */
function lookups(count: number, seed: number): Dataset {
  const draws = tf.randomUniform([count, 1 + 2 * PAIRS], 0, 1, 'float32', seed).arraySync() as number[][];
  const x = tf.buffer([count, TOKENS, FEATURES]);
  const labels = draws.map(([ask = 0, ...order], i) => {
    const asked = Math.floor(ask * PAIRS);
    const keys = ranks(order.slice(0, PAIRS));
    const values = ranks(order.slice(PAIRS));
    x.set(1, i, 0, asked);
    x.set(1, i, 0, 2 * PAIRS);
    keys.forEach((key, token) => {
      x.set(1, i, token + 1, key);
      x.set(1, i, token + 1, PAIRS + (values[token] ?? 0));
    });
    return values[keys.indexOf(asked)] ?? 0;
  });
  return { x: x.toTensor(), targets: oneHot(labels, PAIRS), labels };
}

/** The place of every number in their order: a permutation of 0, 1, ... */
function ranks(numbers: readonly number[]): number[] {
  return numbers.map((number) => numbers.filter((other) => other < number).length);
}

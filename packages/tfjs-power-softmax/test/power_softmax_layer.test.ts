import { describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assertIntervals, collectRanges, InvalidArgumentError, PowerSoftmax, type RowCounts, toPolynomial } from '../src/index.js';
import { useBackend } from './support/backend.js';
import { roundTrip } from './support/models.js';
import { largestDifference, normal, powerSoftmaxRow, valuesOf } from './support/reference.js';

await useBackend('wasm');

const [COUNT, LENGTH] = [40, 5];
const scores = normal([COUNT, LENGTH, LENGTH], 3);
/** Every row of scores sees the entries up to its own. */
const causal = tf.tile(
  tf.tensor3d([Array.from({ length: LENGTH }, (_, i) => Array.from({ length: LENGTH }, (_, j) => (j <= i ? 1 : 0)))]),
  [COUNT, 1, 1],
);

function model(counts: RowCounts): tfl.LayersModel {
  const inputs = [tfl.input({ shape: [LENGTH, LENGTH] }), tfl.input({ shape: [LENGTH, LENGTH] })];
  const layer = new PowerSoftmax({ name: 'weights', epsilon: 0.3, counts });
  return tfl.model({ inputs, outputs: layer.apply(inputs) as tfl.SymbolicTensor });
}

const predict = (of: tfl.LayersModel) => valuesOf(of.predictOnBatch([scores, causal]) as tf.Tensor);

describe.each<RowCounts>(['length', 'visible'])('a masked layer of PowerSoftmax that counts %s', (counts) => {
  test('normalises the visible entries of each row', () => {
    const expected = (scores.arraySync() as number[][][]).flatMap((rows) =>
      rows.flatMap((row, i) => {
        const visible = row.slice(0, i + 1);
        const hidden = row.slice(i + 1).map(() => 0);
        return counts === 'visible' ? [...powerSoftmaxRow(visible, 4, 0.3), ...hidden] : powerSoftmaxRow([...visible, ...hidden], 4, 0.3);
      }),
    );
    expect(largestDifference(predict(model(counts)), expected)).toBeLessThan(1e-5);
  });

  test('has a polynomial that approaches it, on intervals that hold', async () => {
    const layers = model(counts);
    const polynomial = toPolynomial(layers, { calibration: [scores, causal], bits: 16, margin: 1.1 }).model;
    expect(largestDifference(predict(polynomial), predict(layers))).toBeLessThan(1e-4);
    assertIntervals(polynomial, [scores, causal]);
    expect(predict(await roundTrip(polynomial))).toEqual(predict(polynomial));
  });

  test('reports its denominators', () => {
    const { sites } = collectRanges(() => model(counts).predictOnBatch([scores, causal]));
    const first = (scores.arraySync() as number[][][])[0]![0]![0]! ** 4;
    expect(sites[0]!.values.shape).toEqual([COUNT, LENGTH, 1]);
    expect(sites[0]!.values.dataSync()[0]).toBeCloseTo(first / (counts === 'visible' ? 1 : LENGTH) + 0.3, 5);
  });

  test('predicts the same after saving and loading', async () => {
    const layers = model(counts);
    expect(predict(await roundTrip(layers))).toEqual(predict(layers));
  });
});

test.each([
  ['visible counts without a mask', () => new PowerSoftmax({ name: 'weights', counts: 'visible' }).apply(scores)],
  ['unknown counts', () => new PowerSoftmax({ name: 'weights', counts: 'all' as RowCounts })],
  ['three inputs', () => new PowerSoftmax({ name: 'weights' }).apply([scores, causal, causal])],
])('%s are refused, naming the layer', (_, run) => {
  expect(run).toThrow(InvalidArgumentError);
  expect(run).toThrow(/weights/);
});

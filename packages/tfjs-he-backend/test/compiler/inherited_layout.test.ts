import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { inheritedLayout } from '../../src/compiler/inherited_layout.js';
import { featureMajor } from '../../src/compiler/slot_layout.js';
import { buildMap } from '../../src/graph/linear_map.js';
import { compileGraph, profile, traceFunction } from '../../src/index.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const filter = (shape: [number, number, number, number], seed: number): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from(
      randomValues(
        shape.reduce((a, b) => a * b),
        seed,
        0.5,
      ),
    ),
    shape,
  );

/** Two convolutions with squares, pooling and a dense head on 12 x 12 pixels. */
function network(x: tf.Tensor): tf.Tensor {
  const first = tf.square(tf.conv2d(x as tf.Tensor4D, filter([3, 3, 1, 2], 1), 2, 'same'));
  const second = tf.square(tf.conv2d(first, filter([3, 3, 2, 4], 2), 1, 'valid'));
  const flat = tf.reshape(tf.avgPool(second, 2, 2, 'valid'), [1, 16]);
  return tf.matMul(flat, tf.tensor2d(Float32Array.from(randomValues(16 * 3, 3)), [16, 3]));
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('inherited layouts', () => {
  test('a convolution of stride 2 leaves every second row and column, and a block per filter', () => {
    // 2 filters of one pixel on 4 x 4, slots 4 h + w.
    const map = buildMap(2 * 2 * 2, 16, (row, emit) => emit(8 * Math.floor(row / 4) + 2 * (Math.floor(row / 2) % 2), 1 + (row % 2)));
    const layout = inheritedLayout([1, 2, 2, 2], map, featureMajor([1, 4, 4, 1]));
    expect([...layout!.slotOf]).toEqual([0, 16, 2, 18, 8, 24, 10, 26]);
    expect(layout!.period).toBe(32);
  });

  test('reading backwards is not inherited', () => {
    const map = buildMap(4, 4, (row, emit) => emit(3 - row, 1));
    expect(inheritedLayout([4], map, featureMajor([4]))).toBeNull();
  });

  test('one window of rotations serves all filters', async () => {
    const graph = await traceFunction(
      (x) => tf.conv2d(x as tf.Tensor4D, filter([5, 5, 1, 8], 1), 1, 'valid'),
      [{ name: 'x', shape: [1, 28, 28, 1] }],
    );
    const { rotations, plainProducts } = profile(compileGraph(graph, { polyModulusDegrees: [16384] }));
    expect(plainProducts).toBe(25);
    expect(rotations).toBeLessThanOrEqual(10);
  });

  test('a convolutional network runs on mock to what it is in the clear', async () => {
    const x = randomValues(144, 5);
    const graph = await traceFunction((input) => network(input as tf.Tensor), [{ name: 'x', shape: [1, 12, 12, 1] }]);
    const pair = await openPair(compileGraph(graph, { polyModulusDegrees: [8192], precisionBits: 14 }), 'mock');
    try {
      const expected = network(tf.tensor4d(Float32Array.from(x), [1, 12, 12, 1])).dataSync();
      expect(bitsOfAgreement(await pair.infer(x), expected)).toBeGreaterThan(10);
    } finally {
      pair.dispose();
    }
  });
});

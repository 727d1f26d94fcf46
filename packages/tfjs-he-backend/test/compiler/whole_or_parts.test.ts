import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { programMs } from '../../src/compiler/cost_model.js';
import { defaultCosts } from '../../src/compiler/costs.js';
import { createLowerings } from '../../src/compiler/lowerings.js';
import { compileSettings } from '../../src/compiler/options.js';
import type { TensorNode } from '../../src/graph/node.js';
import { compileGraph, type Program, traceFunction } from '../../src/index.js';
import { randomValues } from '../support/random.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const weights = (rows: number, cols: number): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(randomValues(rows * cols, rows, 1 / Math.sqrt(rows))), [rows, cols]);

/** A hidden layer of `hidden` features for each of 64 tokens, where input and output have 16. */
function widened(hidden: number): Promise<readonly TensorNode[]> {
  const body = (x: tf.Tensor | tf.Tensor[]): tf.Tensor => {
    const [up, down] = [weights(16, hidden), weights(hidden, 16)];
    return tf.matMul(tf.square(tf.matMul(x as tf.Tensor2D, up)), down);
  };
  return traceFunction(body, [{ name: 'x', shape: [64, 16] }]);
}

const ms = (program: Program): number => programMs(program, { roundTripMs: 20, costs: defaultCosts('simd') });

describe('whole tensors in a large ring, or parts in a small one', () => {
  test('the faster is taken where a wide layer alone asks for the large ring', async () => {
    const graph = await widened(128);
    const [parts, whole] = [8192, 16384].map((degree) => ms(compileGraph(graph, { polyModulusDegrees: [degree] })));
    expect(parts!).toBeLessThan(whole!);
    expect(ms(compileGraph(graph))).toBe(parts);
  });

  test('parts are tried from the largest ring that is too small, after those that are large enough', async () => {
    const { stages } = createLowerings(await widened(32), [512, 1024, 2048, 4096], new Map(), compileSettings({}));
    expect(stages).toEqual([[2048, 4096], [1024], [512]]);
  });

  test('where nothing fits whole, from the smallest ring', async () => {
    const { stages } = createLowerings(await widened(32), [512, 1024], new Map(), compileSettings({}));
    expect(stages).toEqual([[512], [1024]]);
  });
});

import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Dataset, Example } from './example.ts';
import { fit, oneHot, square, weights } from './training.ts';

const SIZE = 28;
const DIGITS = 10;

/** The shape of CryptoNets (Gilad-Bachrach et al., ICML 2016): convolution, square, pooling, dense, square, dense. */
export const cnn: Example = {
  name: 'cnn',
  shows: 'a convolutional network on images of 28 x 28, squares as activations',
  classes: Array.from({ length: DIGITS }, (_, digit) => String(digit)),
  // Values that are refreshed stay below 2^8: squares of the dense layer reach some 80.
  options: { valueBits: 8, precisionBits: 14 },

  async train(log) {
    const [train, test] = [digits(500, 1), digits(200, 2)];
    const image = tfl.input({ shape: [SIZE, SIZE, 1], name: 'image' });
    const convolution = tfl.layers.conv2d({ name: 'convolution', filters: 4, kernelSize: 5, strides: 3, ...weights(3) });
    const edges = square(convolution.apply(image) as tfl.SymbolicTensor, 'square');
    const pooled = tfl.layers.averagePooling2d({ name: 'pool', poolSize: 2 }).apply(edges);
    const flat = tfl.layers.flatten({ name: 'flatten' }).apply(pooled);
    const dense = tfl.layers.dense({ name: 'dense', units: 32, ...weights(4) });
    const hidden = square(dense.apply(flat) as tfl.SymbolicTensor, 'dense_square');
    const scores = tfl.layers.dense({ name: 'digit', units: DIGITS, ...weights(5) }).apply(hidden);
    const model = tfl.model({ inputs: image, outputs: scores as tfl.SymbolicTensor });
    await fit(model, train, test, { epochs: 7, optimizer: tf.train.adam(0.01), log });
    return { model, test };
  },
};

// Seven segments in a box of 1 x 2, and those that each digit lights.
const SEGMENTS = { a: [0, 0, 1, 0], b: [1, 0, 1, 1], c: [1, 1, 1, 2], d: [0, 2, 1, 2], e: [0, 1, 0, 2], f: [0, 0, 0, 1], g: [0, 1, 1, 1] };
const LIT = ['abcdef', 'bc', 'abged', 'abgcd', 'fgbc', 'afgcd', 'afgecd', 'abc', 'abcdefg', 'abcdfg'];

/** Digits as of a display, each somewhere else, in another size, slant and thickness, with noise; pixels from 0 to 1. */
function digits(count: number, seed: number): Dataset {
  const labels = Array.from({ length: count }, (_, i) => i % DIGITS);
  const variations = tf.randomUniform([count, 5], -1, 1, 'float32', seed).arraySync() as number[][];
  const images = tf.tensor4d(
    variations.flatMap((variation, i) => draw(LIT[labels[i] ?? 0] ?? '', variation)),
    [count, SIZE, SIZE, 1],
  );
  const noise = tf.randomUniform([count, SIZE, SIZE, 1], -0.15, 0.15, 'float32', seed + 100);
  return { x: tf.clipByValue(tf.add(images, noise), 0, 1), targets: oneHot(labels, DIGITS), labels };
}

/** @param variation shifts right and down, size, slant and thickness, each from -1 to 1 */
function draw(lit: string, [right = 0, down = 0, size = 0, slant = 0, thickness = 0]: readonly number[]): number[] {
  const scale = 8 + size;
  const segments = Object.entries(SEGMENTS).flatMap(([name, segment]) => (lit.includes(name) ? [segment] : []));
  return Array.from({ length: SIZE * SIZE }, (_, pixel) => {
    const y = (Math.floor(pixel / SIZE) - SIZE / 2 - 2 * down) / scale + 1;
    const x = ((pixel % SIZE) - SIZE / 2 - 2 * right) / scale + 0.5 + 0.2 * slant * (y - 1);
    const distance = Math.min(...segments.map((segment) => scale * distanceTo(segment, x, y)));
    return Math.min(1, Math.max(0, 2 + 0.5 * thickness - distance));
  });
}

/** Distance of a point from a segment that is horizontal or vertical. */
function distanceTo([x0 = 0, y0 = 0, x1 = 0, y1 = 0]: readonly number[], x: number, y: number): number {
  return Math.hypot(x - Math.min(x1, Math.max(x0, x)), y - Math.min(y1, Math.max(y0, y)));
}

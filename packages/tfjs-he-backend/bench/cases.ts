import * as tf from '@tensorflow/tfjs-core';
import { Weights } from './weights.ts';

/** A computation whose counts are published: a function of one encrypted tensor, with fixed random weights. */
export interface BenchCase {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly body: (x: tf.Tensor) => tf.Tensor;
}

/** The body as a function of the tensors of a trace, of which there is one. */
export function traceable({ body }: BenchCase): (x: tf.Tensor | tf.Tensor[]) => tf.Tensor {
  return (x) => {
    if (Array.isArray(x)) throw new Error('a bench case has one input');
    return body(x);
  };
}

export interface AttentionSize {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
}

export const SMALL_ATTENTION: AttentionSize = { tokens: 32, width: 64, heads: 4 };
export const LARGE_ATTENTION: AttentionSize = { tokens: 64, width: 128, heads: 2 };

/** Polynomials of the shipped model's degrees; only the degrees matter to the counts. */
const RECIPROCAL = [1.14, -1.1, 0.51, -0.2];
const INVERSE_ROOT = [0.96, -0.33, 0.085, -0.024];
const ACTIVATION = [0.02, 0.5, 0.37, 0, -0.035, 0, 0.002];

export const CASES: readonly BenchCase[] = [
  dense(128, 128),
  dense(512, 128),
  convolution(),
  attentionCase(SMALL_ATTENTION),
  attentionCase(LARGE_ATTENTION),
  encoder(SMALL_ATTENTION, 1),
  encoder(LARGE_ATTENTION, 1),
];

/** Cases that are also compiled in one kind of layout throughout; in the second, tokens are mixed alike for all features. */
export const LAYOUT_CASES: readonly BenchCase[] = [dense(128, 128), tokenMixing(), convolution()];

/** Not among the counts, since it is two of the last: what a compiler must get through in seconds. */
export const TWO_LAYER_ENCODER = encoder(LARGE_ATTENTION, 2);

/** The size of BERT-tiny, without its embedding: what its hidden layer holds fits in no single ciphertext. */
export const BERT_TINY = encoder(LARGE_ATTENTION, 2, 4);

function dense(inputs: number, outputs: number): BenchCase {
  const weights = new Weights(1);
  const [kernel, bias] = [weights.matrix(inputs, outputs), weights.row(outputs)];
  return {
    name: `dense ${inputs}x${outputs}`,
    inputShape: [1, inputs],
    body: (x) => tf.add(tf.matMul(tf.reshape(x, [1, inputs]), kernel()), bias()),
  };
}

/** 64 tokens of 64 features: two layers on tokens, with a square between them. */
function tokenMixing(): BenchCase {
  const weights = new Weights(4);
  const [first, second] = [weights.matrix(64, 64), weights.matrix(64, 64)];
  return {
    name: 'token mixing T=64 d=64',
    inputShape: [64, 64],
    body: (x) => tf.matMul(second(), tf.square(tf.matMul(first(), x))),
  };
}

/** 28 x 28 pixels, 4 filters of 5 x 5, stride 2, no padding. */
function convolution(): BenchCase {
  const weights = new Weights(2);
  const filter = weights.matrix(25, 4);
  return {
    name: 'conv 28x28 5x5x4 stride 2',
    inputShape: [1, 28, 28, 1],
    body: (x) => tf.conv2d(x as tf.Tensor4D, tf.reshape(filter(), [5, 5, 1, 4]) as tf.Tensor4D, 2, 'valid'),
  };
}

function attentionCase(size: AttentionSize): BenchCase {
  return {
    name: `attention ${sizeName(size)}`,
    inputShape: [1, size.tokens, size.width],
    body: attention(size, new Weights(3)),
  };
}

/** PowerSoftmax attention with p = 4 in polynomial form, deferred division, output projection. */
function attention({ tokens, width, heads }: AttentionSize, weights: Weights): (x: tf.Tensor) => tf.Tensor {
  const kernels = [0, 1, 2, 3].map(() => weights.matrix(width, width));
  const split = (x: tf.Tensor): tf.Tensor => tf.transpose(tf.reshape(x, [1, tokens, heads, width / heads]), [0, 2, 1, 3]);
  return (x) => {
    const flat = tf.reshape(x, [tokens, width]);
    const [query, key, value] = kernels.map((kernel) => split(tf.matMul(flat, kernel())));
    const [, , , merge] = kernels;
    if (query === undefined || key === undefined || value === undefined || merge === undefined) throw new Error('kernels are missing');
    const powers = tf.square(tf.square(tf.matMul(query, key, false, true)));
    const reciprocal = polynomial(RECIPROCAL, affine(tf.mean(powers, -1, true), 0.9, -1.2));
    const mixed = tf.mul(tf.matMul(powers, value), reciprocal);
    return tf.matMul(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [tokens, width]), merge());
  };
}

/** Post-norm encoder blocks with a feed-forward network of `widening` times the width. */
function encoder(size: AttentionSize, layers: number, widening = 2): BenchCase {
  const { tokens, width } = size;
  const hidden = widening === 2 ? '' : ` ff=${widening * width}`;
  const blocks = Array.from({ length: layers }, (_, i) => encoderBlock(size, widening, new Weights(10 + i)));
  return {
    name: layers === 1 ? `encoder block ${sizeName(size)}` : `encoder ${sizeName(size)}${hidden}, ${layers} layers`,
    inputShape: [1, tokens, width],
    body: (x) => blocks.reduce((y, block) => block(y), x),
  };
}

function encoderBlock(size: AttentionSize, widening: number, weights: Weights): (x: tf.Tensor) => tf.Tensor {
  const { tokens, width } = size;
  const attend = attention(size, weights);
  const [up, upBias, down, downBias] = [
    weights.matrix(width, widening * width),
    weights.row(widening * width),
    weights.matrix(widening * width, width),
    weights.row(width),
  ];
  const norms = [0, 1].map(() => ({ gain: weights.row(width), shift: weights.row(width) }));
  const normalise = (x: tf.Tensor, index: number): tf.Tensor => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normal = tf.mul(centred, polynomial(INVERSE_ROOT, affine(variance, 1.3, -1.6)));
    const norm = norms[index];
    return norm === undefined ? normal : tf.add(tf.mul(normal, norm.gain()), norm.shift());
  };
  return (x) => {
    const flat = tf.reshape(x, [tokens, width]);
    const attended = normalise(tf.add(attend(x), flat), 0);
    const hidden = polynomial(ACTIVATION, affine(tf.add(tf.matMul(attended, up()), upBias()), 0.35, 0));
    return normalise(tf.add(tf.add(tf.matMul(hidden, down()), downBias()), attended), 1);
  };
}

function affine(x: tf.Tensor, factor: number, offset: number): tf.Tensor {
  return tf.add(tf.mul(x, factor), offset);
}

/** sum_k coefficients[k] u^k of degree 3 or 6 in the fewest levels: 2 and 3. */
function polynomial(coefficients: readonly number[], u: tf.Tensor): tf.Tensor {
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, c6 = 0] = coefficients;
  const square = tf.square(u);
  const low = tf.add(affine(u, c1, c0), tf.mul(square, affine(u, c3, c2)));
  if (coefficients.length <= 4) return low;
  return tf.add(low, tf.mul(tf.square(square), tf.add(affine(u, c5, c4), tf.mul(square, c6))));
}

function sizeName({ tokens, width, heads }: AttentionSize): string {
  return `T=${tokens} d=${width} h=${heads}`;
}

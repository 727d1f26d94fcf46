import * as tf from '@tensorflow/tfjs-core';
import { type MultiHeadAttention, powerSoftmax } from 'tfjs-power-softmax';

/** Base of the geometric sequence of wavelengths (RoFormer, arXiv 2104.09864, section 3.2.2). */
const ROTARY_BASE = 10_000;
const MASKED = -1e9;

/**
 * Weights of the values in a causal rotary attention layer without grouped heads, which the layer itself does not give out.
 *
 * @param x input of the layer `[batch, tokens, d]`
 * @returns `[batch, heads, tokens, tokens]`, zero after the diagonal
 */
export function attentionWeights(layer: MultiHeadAttention, x: tf.Tensor3D): tf.Tensor4D {
  const { numHeads, keyDim, attention, p, epsilon } = layer.config;
  const { query, key } = layer.attentionWeights();
  const [batch, tokens, features] = x.shape;
  return tf.tidy(() => {
    const heads = (kernel: tf.Tensor2D): tf.Tensor4D => {
      const projected = tf.matMul(tf.reshape<tf.Rank.R2>(x, [batch * tokens, features]), kernel);
      return turned(tf.transpose(tf.reshape<tf.Rank.R4>(projected, [batch, tokens, numHeads, keyDim]), [0, 2, 1, 3]));
    };
    const scores = tf.div<tf.Tensor4D>(tf.matMul(heads(query.kernel), heads(key.kernel), false, true), Math.sqrt(keyDim));
    const mask = tf.linalg.bandPart(tf.ones([tokens, tokens]), -1, 0);
    const counts = tf.reshape(tf.range(1, tokens + 1), [tokens, 1]);
    if (attention === 'power') return powerSoftmax(scores, { p, epsilon, mask, counts });
    if (attention === 'softmax') return tf.softmax(tf.add(scores, tf.mul(tf.sub(1, mask), MASKED)));
    throw new Error(`${layer.name} has ${attention} attention, whose weights are no distribution`);
  });
}

/** Turns pairs of features `i` and `i + size / 2` of token `t` by `t * 10000^(-2i / size)`. */
function turned(x: tf.Tensor4D): tf.Tensor4D {
  const [, , tokens, size] = x.shape;
  const half = size / 2;
  const angles = tf.tensor2d(
    Float32Array.from({ length: tokens * half }, (_, k) => Math.floor(k / half) * ROTARY_BASE ** (-(2 * (k % half)) / size)),
    [tokens, half],
  );
  const [cos, sin] = [tf.cos(angles), tf.sin(angles)];
  const first = tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, half]);
  const second = tf.slice(x, [0, 0, 0, half], [-1, -1, -1, half]);
  return tf.concat([tf.sub(tf.mul(first, cos), tf.mul(second, sin)), tf.add(tf.mul(second, cos), tf.mul(first, sin))], 3);
}

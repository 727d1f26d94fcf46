import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom_gradient.js';

/** Base of the geometric sequence of wavelengths (RoFormer, arXiv 2104.09864, section 3.2.2). */
const ROTARY_BASE = 10_000;

/**
 * Rotary position embedding (RoFormer, arXiv 2104.09864): the pair of features `i` and `i + size / 2` of token `t` is turned by the angle
 * `t * 10000^(-2i / size)`, so that products of queries and keys depend on the distance of their tokens only. Linear in `x`; the gradient is
 * the opposite turn.
 *
 * @param x `[batch, heads, tokens, size]`, `size` even
 */
export function rotary(x: tf.Tensor4D): tf.Tensor4D {
  const [, , tokens, size] = x.shape;
  return tf.tidy(() => {
    const angle = (t: number, i: number): number => t * ROTARY_BASE ** (-(2 * (i % (size / 2))) / size);
    const table = (f: (angle: number) => number): tf.Tensor4D =>
      tf.tensor4d(
        Float32Array.from({ length: tokens * size }, (_, k) => f(angle(Math.floor(k / size), k % size))),
        [1, 1, tokens, size],
      );
    return customGradient(
      [x],
      (input) => {
        const [cos, sin] = [table(Math.cos), table(Math.sin)];
        return { value: turn(input, cos, sin), saved: [cos, sin] };
      },
      (dy, [cos, sin]) => [turn(dy, cos, tf.neg(sin))],
    );
  });
}

function turn<T extends tf.Tensor>(x: T, cos: tf.Tensor, sin: tf.Tensor): T {
  const half = (x.shape[3] ?? 0) / 2;
  const first = tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, half]);
  const second = tf.slice(x, [0, 0, 0, half], [-1, -1, -1, half]);
  return tf.add<T>(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(second), first], 3), sin));
}

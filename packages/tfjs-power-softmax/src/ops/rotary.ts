import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom_gradient.js';

/** Which features of a head are turned, and how fast. */
export interface RotaryOptions {
  /** How many features are turned, the first ones; even, at most the head's size. Default: all. GPT-NeoX turns a quarter (`rotary_pct`). */
  readonly rotaryDim: number;
  /** Base of the geometric sequence of wavelengths (RoFormer, arXiv 2104.09864, section 3.2.2), >= 1. Default 10000. */
  readonly rotaryBase: number;
}

export const DEFAULT_ROTARY_BASE = 10_000;

/**
 * Rotary position embedding (RoFormer, arXiv 2104.09864): the pair of features `i` and `i + dim / 2` of token `t` is turned by the angle
 * `t * base^(-2i / dim)`, so that products of queries and keys depend on the distance of their tokens only. Linear in `x`; the gradient is
 * the opposite turn.
 *
 * @param x `[batch, heads, tokens, size]`
 * @param direction -1 turns by the opposite angles
 */
export function rotary(x: tf.Tensor4D, options: Partial<RotaryOptions> = {}, direction: 1 | -1 = 1): tf.Tensor4D {
  const [, , tokens, size] = x.shape;
  const { rotaryDim: dim = size, rotaryBase: base = DEFAULT_ROTARY_BASE } = options;
  return tf.tidy(() => {
    const angle = (t: number, i: number): number => direction * t * base ** (-(2 * (i % (dim / 2))) / dim);
    const table = (f: (angle: number) => number): tf.Tensor4D =>
      tf.tensor4d(
        Float32Array.from({ length: tokens * dim }, (_, k) => f(angle(Math.floor(k / dim), k % dim))),
        [1, 1, tokens, dim],
      );
    return customGradient(
      [x],
      (input) => {
        const [cos, sin] = [table(Math.cos), table(Math.sin)];
        return { value: turnFirst(input, dim, cos, sin), saved: [cos, sin] };
      },
      (dy, [cos, sin]) => [turnFirst(dy, dim, cos, tf.neg(sin))],
    );
  });
}

/** Turns the first `dim` features and keeps the others. */
function turnFirst<T extends tf.Tensor>(x: T, dim: number, cos: tf.Tensor, sin: tf.Tensor): T {
  if (dim === x.shape[3]) return turn(x, cos, sin);
  const kept = tf.slice(x, [0, 0, 0, dim], [-1, -1, -1, -1]);
  return tf.concat<T>([turn(tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, dim]), cos, sin), kept], 3);
}

function turn<T extends tf.Tensor>(x: T, cos: tf.Tensor, sin: tf.Tensor): T {
  const half = (x.shape[3] ?? 0) / 2;
  const first = tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, half]);
  const second = tf.slice(x, [0, 0, 0, half], [-1, -1, -1, half]);
  return tf.add<T>(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(second), first], 3), sin));
}

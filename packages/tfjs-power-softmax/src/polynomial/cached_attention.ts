import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { project } from '../layers/attention.js';
import { lastDimension } from '../layers/inputs.js';
import { integerPower } from '../ops/integer_power.js';
import { DEFAULT_ROTARY_BASE, type RotaryOptions, rotary } from '../ops/rotary.js';
import { validatePositiveInteger, validatePower } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface CachedAttentionArgs extends PolynomialLayerArgs, Partial<RotaryOptions> {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly useBias: boolean;
  /** Tokens attended to: the new one and those before it. */
  readonly tokens: number;
  readonly rotary?: boolean;
  readonly p: number;
  readonly epsilon: number;
}

/**
 * Causal {@link PolynomialAttention} for one token at a time, with the keys and values of the tokens before it cached.
 *
 * Inputs: the token `x [1, 1, d]`; `scaled [1, 1, d]`, which is `x` times `share`; `share [1, 1, 1]`, the `-1/p`-th power of the number of tokens
 * attended to, by which `mean(scores^p)` becomes a sum without a level of its own; and what the call for the token before gave (zeros for the
 * first), `cache` and `row [1, tokens, heads, 2 keyDim]`, keys before values. Outputs: the attended `[1, 1, d]`, `cache` and `row`.
 *
 * The cache is a shift register: row `j` is of the token `j` before this one. So a key's distance to the query is its row, positions are never asked
 * for, and rotary positions are constants. `cache` comes out as the sum of both inputs, moved on by a row: additions alone, so that encrypted rows
 * stay at the level they came in. `row` is what has to be added to it: the new keys and values in row 0, less what was moved there from the last row,
 * whereby the oldest token is forgotten.
 */
export class PolynomialCachedAttention extends PolynomialLayer {
  static readonly className = 'PolynomialCachedAttention';
  readonly numHeads: number;
  readonly keyDim: number;
  readonly useBias: boolean;
  readonly tokens: number;
  readonly rotary: boolean;
  readonly rotaryDim: number;
  readonly rotaryBase: number;
  readonly p: number;
  readonly epsilon: number;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: CachedAttentionArgs) {
    super(args, 'reciprocal');
    this.supportsMasking = false;
    this.numHeads = validatePositiveInteger('numHeads', args.numHeads, this.name);
    this.keyDim = validatePositiveInteger('keyDim', args.keyDim, this.name);
    this.useBias = args.useBias;
    this.tokens = validatePositiveInteger('tokens', args.tokens, this.name);
    this.rotary = args.rotary ?? false;
    this.rotaryDim = args.rotaryDim ?? this.keyDim;
    this.rotaryBase = args.rotaryBase ?? DEFAULT_ROTARY_BASE;
    this.p = validatePower(args.p, this.name);
    this.epsilon = args.epsilon;
  }

  get site(): string {
    return `${this.name}/denominator`;
  }

  /** Shape of `cache` and `row`. */
  get stateShape(): [number, number, number, number] {
    return [1, this.tokens, this.numHeads, 2 * this.keyDim];
  }

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    const units = this.numHeads * this.keyDim;
    for (const name of ['query', 'key', 'value']) this.addProjection(name, features, units, this.useBias);
    this.addProjection('output', units, features, true);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return tf.tidy(() => {
      // Ranks are those of the symbolic inputs that the layer was built with.
      const [x, scaled, share, cache, row] = (Array.isArray(inputs) ? inputs : [inputs]) as [
        tf.Tensor3D,
        tf.Tensor3D,
        tf.Tensor3D,
        tf.Tensor4D,
        tf.Tensor4D,
      ];
      if (row === undefined)
        throw new InvalidArgumentError(`Layer ${this.name} takes [x, scaled, share, cache, row].`, { layer: this.name });
      const { tokens, numHeads, keyDim } = this;
      const moved = movedOn(tf.add<tf.Tensor4D>(cache, row));
      const newest = tf.tensor4d(
        Float32Array.from({ length: tokens }, (_, j) => (j === 0 ? 1 : 0)),
        [1, tokens, 1, 1],
      );
      const heads = (y: tf.Tensor): tf.Tensor4D => tf.reshape(y, [1, 1, numHeads, -1]);
      const inFirstRow = (y: tf.Tensor): tf.Tensor4D => tf.mul<tf.Tensor4D>(newest, heads(y));
      const past = tf.mul(moved, tf.sub(tf.scalar(1), newest));
      const [pastKeys, pastValues] = tf.split(past, 2, 3) as [tf.Tensor4D, tf.Tensor4D];
      const keys = tf.add<tf.Tensor4D>(this.atDistance(pastKeys), inFirstRow(project(x, this.projection('key', this.useBias))));
      const values = tf.add<tf.Tensor4D>(pastValues, inFirstRow(project(x, this.projection('value', this.useBias))));
      const attended = this.attended(heads(this.scaledQuery(scaled, share)), keys, values);
      const output = project(tf.reshape(attended, [1, 1, numHeads * keyDim]), this.projection('output', true));
      return [output, moved, tf.sub(inFirstRow(this.newRow(x)), tf.mul(moved, newest))];
    });
  }

  /** The query of `x` times `share`. */
  private scaledQuery(scaled: tf.Tensor3D, share: tf.Tensor3D): tf.Tensor {
    const { kernel, bias } = this.projection('query', this.useBias);
    const query = project(scaled, { kernel });
    return bias === undefined ? query : tf.add(query, tf.mul(share, bias));
  }

  /** Keys and values by head, `[1, 1, heads * 2 keyDim]`: one map of `x`, where keys and values of its own would each cost one more to be put together. */
  private newRow(x: tf.Tensor3D): tf.Tensor {
    const [key, value] = [this.projection('key', this.useBias), this.projection('value', this.useBias)];
    const byHead = (of: readonly (tf.Tensor | undefined)[], rows: number): tf.Tensor2D =>
      tf.reshape(
        tf.concat(
          of.map((part) => tf.reshape(part ?? tf.zeros([rows, this.numHeads * this.keyDim]), [rows, this.numHeads, this.keyDim])),
          2,
        ),
        [rows, 2 * this.numHeads * this.keyDim],
      );
    const kernel = byHead([key.kernel, value.kernel], key.kernel.shape[0]);
    if (!this.useBias) return project(x, { kernel });
    return project(x, { kernel, bias: tf.reshape(byHead([key.bias, value.bias], 1), [-1]) });
  }

  /** Keys turned by their distance to the query, which is their row. @param keys `[1, tokens, heads, keyDim]` */
  private atDistance(keys: tf.Tensor4D): tf.Tensor4D {
    if (!this.rotary) return keys;
    // Only the difference of the positions counts: the query stays as it is, the key of row j is turned back by j.
    return tf.transpose(rotary(tf.transpose(keys, [0, 2, 1, 3]), this, -1), [0, 2, 1, 3]);
  }

  /** @returns `[1, 1, heads, keyDim]` */
  private attended(query: tf.Tensor4D, keys: tf.Tensor4D, values: tf.Tensor4D): tf.Tensor {
    const { slope, offset } = unitMap(this.approximation);
    const powered = integerPower(tf.sum(tf.mul(keys, query), 3, true), this.p);
    const u = tf.add(tf.sum(powered, 1, true), tf.scalar(slope * this.epsilon + offset));
    return tf.sum(tf.mul(tf.mul(powered, values), this.polynomial(u, 1 / slope)), 1, true);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape[] {
    return [[1, 1, lastDimension(inputShape, this.name)], this.stateShape, this.stateShape];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { numHeads, keyDim, useBias, tokens, rotary: turned, rotaryDim, rotaryBase, p, epsilon } = this;
    return { ...super.getConfig(), numHeads, keyDim, useBias, tokens, rotary: turned, rotaryDim, rotaryBase, p, epsilon };
  }
}
tf.serialization.registerClass(PolynomialCachedAttention);

/** Every row to the next, the last one to row 0. @param x `[1, tokens, heads, units]` */
function movedOn(x: tf.Tensor4D): tf.Tensor4D {
  const last = x.shape[1] - 1;
  return tf.concat([tf.slice(x, [0, last, 0, 0], [-1, 1, -1, -1]), tf.slice(x, [0, 0, 0, 0], [-1, last, -1, -1])], 1);
}

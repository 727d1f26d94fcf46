import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { type AttentionWeights, mergeHeads, type Projection, project, splitHeads } from '../layers/attention.js';
import { attentionInputs, type CallArguments, firstShape, lastDimension, memoryShape } from '../layers/inputs.js';
import { DEFAULT_ROTARY_BASE, type RotaryOptions, rotary } from '../ops/rotary.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import { validatePositiveInteger } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';

export interface AttentionFormArgs extends PolynomialLayerArgs, Partial<RotaryOptions> {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly useBias: boolean;
  /** Number of keys the model was made for, in self-attention that of tokens: means are over these, whatever the padding. */
  readonly tokens: number;
  /** Tokens see themselves and those before them only; means are over those. Default false. */
  readonly causal?: boolean;
  /** Queries and keys are turned by their positions. Default false. */
  readonly rotary?: boolean;
}

/** Projected inputs, `[batch, heads, tokens or keys, keyDim]`. */
export interface AttentionHeads {
  readonly query: tf.Tensor4D;
  readonly key: tf.Tensor4D;
  readonly value: tf.Tensor4D;
}

/**
 * What the polynomial forms of attention share: projections, heads and masks. Inputs `x [batch, tokens, d]` or `[x, mask]`; `[x, memory]` or
 * `[x, memory, mask]` with `memory [batch, keys, e]`; the 0/1 mask is `[batch, keys]`. Output `[batch, tokens, d]`.
 */
export abstract class AttentionForm extends PolynomialLayer {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly useBias: boolean;
  readonly tokens: number;
  readonly causal: boolean;
  readonly rotary: boolean;
  readonly rotaryDim: number;
  readonly rotaryBase: number;

  /**
   * @param expected function that the approximation is of
   * @param masked rows of masked keys are zeroed in this projection
   * @throws InvalidArgumentError for a setting out of range
   */
  constructor(
    args: AttentionFormArgs,
    expected: ApproximatedFunction,
    private readonly masked: 'key' | 'value',
  ) {
    super(args, expected);
    this.numHeads = validatePositiveInteger('numHeads', args.numHeads, this.name);
    this.keyDim = validatePositiveInteger('keyDim', args.keyDim, this.name);
    this.useBias = args.useBias;
    this.tokens = validatePositiveInteger('tokens', args.tokens, this.name);
    this.causal = args.causal ?? false;
    this.rotary = args.rotary ?? false;
    this.rotaryDim = args.rotaryDim ?? this.keyDim;
    this.rotaryBase = args.rotaryBase ?? DEFAULT_ROTARY_BASE;
  }

  /** What the query projection is multiplied by so that scores come out as the form needs them. */
  protected abstract readonly queryFactor: number;

  /** Attended values, `[batch, heads, tokens, keyDim]`, of queries that carry {@link queryFactor}. */
  protected abstract attended(heads: AttentionHeads): tf.Tensor4D;

  /** @throws InvalidArgumentError for another number of keys than the model was made for */
  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    const memory = memoryShape(inputShape) ?? firstShape(inputShape);
    const keys = memory[1];
    if (keys !== this.tokens) {
      throw new InvalidArgumentError(`Layer ${this.name} was made for ${this.tokens} tokens, got ${keys}. Pad the input.`, {
        tokens: this.tokens,
      });
    }
    const units = this.numHeads * this.keyDim;
    this.addProjection('query', features, units, this.useBias);
    for (const name of ['key', 'value']) this.addProjection(name, lastDimension(memory, this.name), units, this.useBias);
    this.addProjection('output', units, features, true);
    this.built = true;
  }

  /** Takes over the weights of a trained attention layer, with all constants folded into the query projection. */
  setFoldedWeights(weights: AttentionWeights): void {
    tf.tidy(() => {
      const { query, key, value, output } = weights;
      this.setWeights([scaled(query, this.queryFactor), key, value, output].flatMap((projection) => tensorsOf(projection)));
    });
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, memory = x, mask: given } = attentionInputs(inputs, this.name);
      const mask = memory === x ? this.maskOf(x, given, kwargs) : given;
      const positioned = (heads: tf.Tensor4D): tf.Tensor4D => (this.rotary ? rotary(heads, this) : heads);
      const heads = (of: tf.Tensor3D, name: 'query' | 'key' | 'value'): tf.Tensor4D => {
        const projected = project(of, this.projection(name, this.useBias));
        return splitHeads(name === this.masked ? maskRows(projected, mask) : projected, this.numHeads);
      };
      const query = positioned(heads(x, 'query'));
      const key = positioned(heads(memory, 'key'));
      return project(mergeHeads(this.attended({ query, key, value: heads(memory, 'value') })), this.projection('output', true));
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { numHeads, keyDim, useBias, tokens, causal, rotary: turned, rotaryDim, rotaryBase } = this;
    return { ...super.getConfig(), numHeads, keyDim, useBias, tokens, causal, rotary: turned, rotaryDim, rotaryBase };
  }
}

function scaled({ kernel, bias }: Projection, factor: number): Projection {
  const by = tf.scalar(factor);
  return bias === undefined ? { kernel: tf.mul(kernel, by) } : { kernel: tf.mul(kernel, by), bias: tf.mul(bias, by) };
}

function tensorsOf({ kernel, bias }: Projection): tf.Tensor[] {
  return bias === undefined ? [kernel] : [kernel, bias];
}

function maskRows(x: tf.Tensor3D, mask?: tf.Tensor2D): tf.Tensor3D {
  return mask === undefined ? x : tf.mul(x, tf.reshape(tf.cast(mask, 'float32'), [mask.shape[0], mask.shape[1], 1]));
}

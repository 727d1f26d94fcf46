import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { validateOneOf } from '../validate.js';
import { type CallArguments, firstShape, hasMaskInput, lastDimension, sequenceInputs } from './inputs.js';
import { type LogitsArgs, LogitsLayer } from './logits_layer.js';
import { type MeanCount, meanOverTokens, selectToken, validateMeanCount } from './pooling.js';
import { TOKEN_POSITIONS, type TokenPosition } from './token_pooling.js';

/** How a sequence becomes one vector: as by `MaskedMeanPooling`, or as by `TokenPooling`. */
export type PoolingKind = 'mean' | TokenPosition;

export interface ClassificationHeadArgs extends LogitsArgs {
  /** Default `mean`. */
  readonly pooling?: PoolingKind;
  /** What the sum of `mean` is divided by. Default `visible`. */
  readonly count?: MeanCount;
}

/**
 * Class logits of a sequence: pooling, optional normalisation, projection. Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1
 * `mask [batch, tokens]` (a Keras mask of `x` does the same); output `[batch, units]`. Weights `norm/gamma|beta` and `logits/kernel|bias`; reports
 * `<name>/norm/variance` (or `/mean_square`) to range recordings. There is no softmax in it: train on logits, and let the client take the softmax.
 */
export class ClassificationHead extends LogitsLayer {
  static readonly className = 'ClassificationHead';
  readonly pooling: PoolingKind;
  readonly count: MeanCount;
  /** Whether the layer was built for inputs with a mask. */
  masked = false;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: ClassificationHeadArgs) {
    super(args, true);
    this.pooling = validateOneOf('pooling', args.pooling ?? 'mean', ['mean', ...TOKEN_POSITIONS], this.name);
    this.count = validateMeanCount(args.count ?? 'visible', this.name);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.masked = hasMaskInput(inputShape);
    this.addLogits(lastDimension(inputShape, this.name));
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask: given } = sequenceInputs(inputs, this.name);
      const mask = this.maskOf(x, given, kwargs);
      return this.logits(this.pooling === 'mean' ? meanOverTokens(x, this.count, mask) : selectToken(x, this.pooling, mask));
    });
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return this.endMask(inputs, mask);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [firstShape(inputShape)[0] ?? null, this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), pooling: this.pooling, count: this.count };
  }
}
tf.serialization.registerClass(ClassificationHead);

import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { type CallArguments, hasMaskInput, pooledShape, sequenceInputs } from './inputs.js';
import { MaskingLayer } from './masking_layer.js';
import { type MeanCount, meanOverTokens, validateMeanCount } from './pooling.js';

export interface MaskedMeanPoolingArgs {
  readonly name?: string;
  /** What the sum is divided by. Default `visible`. */
  readonly count?: MeanCount;
}

/**
 * The mean over the visible tokens. Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1 `mask [batch, tokens]` (a Keras mask of `x` does the
 * same); output `[batch, d]`. Linear in `x`, hence its own polynomial form, but for `count: 'visible'` without a mask as input, where finding the
 * rows that are zero is not.
 */
export class MaskedMeanPooling extends MaskingLayer {
  static readonly className = 'MaskedMeanPooling';
  readonly count: MeanCount;
  /** Whether the layer was built for inputs with a mask. */
  masked = false;

  /** @throws InvalidArgumentError for a count out of range */
  constructor(args: MaskedMeanPoolingArgs = {}) {
    super(args);
    this.count = validateMeanCount(args.count ?? 'visible', this.name);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.masked = hasMaskInput(inputShape);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask } = sequenceInputs(inputs, this.name);
      return meanOverTokens(x, this.count, this.maskOf(x, mask, kwargs));
    });
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return this.endMask(inputs, mask);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return pooledShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), count: this.count };
  }
}
tf.serialization.registerClass(MaskedMeanPooling);

import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { validateOneOf } from '../validate.js';
import { type CallArguments, pooledShape, sequenceInputs } from './inputs.js';
import { MaskingLayer } from './masking_layer.js';
import { selectToken } from './pooling.js';

/** Which token stands for the sequence. */
export type TokenPosition = 'first' | 'last';

export const TOKEN_POSITIONS: readonly TokenPosition[] = ['first', 'last'];

export interface TokenPoolingArgs {
  readonly name?: string;
  /** Default `first`, where BERT has its [CLS] token; causal models have seen the whole sequence at the `last`. */
  readonly position?: TokenPosition;
}

/**
 * One token of a sequence. Input `x [batch, tokens, d]`, or `[x, mask]` with a 0/1 `mask [batch, tokens]` (a Keras mask of `x` does the same), which
 * makes it the first or last visible one; output `[batch, d]`. Linear in `x`, hence its own polynomial form.
 */
export class TokenPooling extends MaskingLayer {
  static readonly className = 'TokenPooling';
  readonly position: TokenPosition;

  /** @throws InvalidArgumentError for an unknown position */
  constructor(args: TokenPoolingArgs = {}) {
    super(args);
    this.position = validateOneOf('position', args.position ?? 'first', TOKEN_POSITIONS, this.name);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor {
    return tf.tidy(() => {
      const { x, mask } = sequenceInputs(inputs, this.name);
      return selectToken(x, this.position, this.maskOf(x, mask, kwargs));
    });
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return this.endMask(inputs, mask);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return pooledShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), position: this.position };
  }
}
tf.serialization.registerClass(TokenPooling);

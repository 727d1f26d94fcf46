import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { lastDimension, singleInput } from './inputs.js';
import { type LogitsArgs, LogitsLayer } from './logits_layer.js';

export interface LanguageModelHeadArgs extends LogitsArgs {}

/**
 * Logits over a vocabulary for every token, or for the one that a `TokenPooling` has selected: optional normalisation, then a projection, without
 * bias unless asked for. Input `[..., d]`, output `[..., units]`. Weights `norm/gamma|beta` and `logits/kernel|bias`; reports
 * `<name>/norm/variance` (or `/mean_square`) to range recordings.
 */
export class LanguageModelHead extends LogitsLayer {
  static readonly className = 'LanguageModelHead';

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: LanguageModelHeadArgs) {
    super(args, false);
  }

  override build(inputShape: Shape | Shape[]): void {
    this.addLogits(lastDimension(inputShape, this.name));
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.logits(singleInput(inputs, this.name)));
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [...inputShape.slice(0, -1), this.units];
  }
}
tf.serialization.registerClass(LanguageModelHead);

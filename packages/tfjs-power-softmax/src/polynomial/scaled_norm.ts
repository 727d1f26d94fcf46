import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { firstShape } from '../layers/inputs.js';
import { PolynomialNorm, type PolynomialNormArgs } from './polynomial_norm.js';

/**
 * {@link PolynomialNorm} with a second result: inputs `x [batch, tokens, d]` and `factor [batch, 1, 1]`; outputs the normalised `x`, and that times
 * `factor`. The factor multiplies the input beside the approximation, so that neither output is deeper than the other.
 */
export class PolynomialScaledNorm extends PolynomialNorm {
  static override readonly className: string = 'PolynomialScaledNorm';

  constructor(args: PolynomialNormArgs) {
    super(args);
    this.supportsMasking = false;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return tf.tidy(() => {
      const [x, factor] = Array.isArray(inputs) ? inputs : [inputs];
      if (x === undefined || factor === undefined)
        throw new InvalidArgumentError(`Layer ${this.name} takes [x, factor].`, { layer: this.name });
      const { carrier, inverse } = this.normalise([x]);
      return [this.shifted(tf.mul(carrier, inverse)), this.shifted(tf.mul(tf.mul(carrier, factor), inverse), factor)];
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape[] {
    return [firstShape(inputShape), firstShape(inputShape)];
  }
}
tf.serialization.registerClass(PolynomialScaledNorm);

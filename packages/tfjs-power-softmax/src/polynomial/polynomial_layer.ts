import * as tf from '@tensorflow/tfjs-core';
import { evaluateOver } from '../approximation/approximation.js';
import { tensorAlgebra } from '../approximation/tensor_algebra.js';
import { type SeededLayerArgs, WeightedLayer } from '../layers/weighted_layer.js';
import { type ApproximatedFunction, reportRange } from '../ranges/recorder.js';
import { type SiteApproximation, siteConfig, unitMap, validateSiteApproximation } from './site_approximation.js';

export interface PolynomialLayerArgs extends Omit<SeededLayerArgs, 'seed'> {
  readonly approximation: SiteApproximation;
}

/** A layer of a polynomial model: one function in it is replaced by a polynomial, whose inputs it reports to range recordings. */
export abstract class PolynomialLayer extends WeightedLayer {
  readonly approximation: SiteApproximation;
  /** `<layer>/denominator`, `<layer>/variance` or `<layer>/activation`. */
  abstract readonly site: string;

  /** @throws InvalidArgumentError unless the approximation is one of `expected` */
  constructor(args: PolynomialLayerArgs, expected: ApproximatedFunction) {
    super(args);
    this.approximation = validateSiteApproximation(args.approximation, expected, this.name);
  }

  /** `factor` times the polynomial at its variable `u` (see `unitMap`); the factor goes into its constants. */
  protected polynomial<T extends tf.Tensor>(u: T, factor = 1): T {
    const { approximation } = this;
    const { slope, offset } = unitMap(approximation);
    reportRange({ name: this.site, function: approximation.function, interval: approximation.interval }, () =>
      tf.mul(tf.sub(u, tf.scalar(offset)), tf.scalar(1 / slope)),
    );
    // Elementwise ops with scalars keep the shape.
    return tf.tidy(() => evaluateOver<tf.Tensor>(tensorAlgebra, approximation, u, factor) as T);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), approximation: siteConfig(this.approximation) };
  }
}

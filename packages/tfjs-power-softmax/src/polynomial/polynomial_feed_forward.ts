import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { type Projection, project } from '../layers/attention.js';
import type { ActivationKind, FeedForwardWeights } from '../layers/feed_forward.js';
import { lastDimension, singleSequence } from '../layers/inputs.js';
import { validateOneOf, validatePositiveInteger } from '../validate.js';
import { PolynomialLayer, type PolynomialLayerArgs } from './polynomial_layer.js';
import { unitMap } from './site_approximation.js';

export interface PolynomialFeedForwardArgs extends PolynomialLayerArgs {
  readonly hiddenDim: number;
  /** Default `gelu`. A quadratic network needs no polynomial form. */
  readonly activation?: PolynomialActivation;
}

/** The activations that are approximated. */
export type PolynomialActivation = Exclude<ActivationKind, 'quadratic'>;

const POLYNOMIAL_ACTIVATIONS: readonly PolynomialActivation[] = ['gelu', 'swiglu'];

/**
 * Feed-forward network with a polynomial for GELU, or for the SiLU of a gate. The polynomial's variable is an affine map of its input, which is
 * folded into the projection before it. Input and output `[batch, tokens, d]`.
 */
export class PolynomialFeedForward extends PolynomialLayer {
  static readonly className = 'PolynomialFeedForward';
  readonly hiddenDim: number;
  readonly activation: PolynomialActivation;

  /** @throws InvalidArgumentError for a setting out of range */
  constructor(args: PolynomialFeedForwardArgs) {
    super(args, args.activation === 'swiglu' ? 'silu' : 'gelu');
    this.activation = validateOneOf('activation', args.activation ?? 'gelu', POLYNOMIAL_ACTIVATIONS, this.name);
    this.hiddenDim = validatePositiveInteger('hiddenDim', args.hiddenDim, this.name);
  }

  get site(): string {
    return `${this.name}/activation`;
  }

  override build(inputShape: Shape | Shape[]): void {
    const features = lastDimension(inputShape, this.name);
    this.addFeedForward('', features, this.hiddenDim, this.activation === 'swiglu');
    this.built = true;
  }

  /** Takes over the weights of a trained feed-forward network. */
  setFoldedWeights({ hidden, gate, output }: FeedForwardWeights): void {
    tf.tidy(() => {
      const projections = gate === undefined ? [this.folded(hidden), output] : [hidden, this.folded(gate), output];
      this.setWeights(projections.flatMap(({ kernel, bias }) => [kernel, bias ?? tf.zeros([kernel.shape[1]])]));
    });
  }

  /** The projection followed by the map to the polynomial's variable. */
  private folded({ kernel, bias }: Projection): Projection {
    const { slope, offset } = unitMap(this.approximation);
    const scaled = bias === undefined ? tf.zeros<tf.Rank.R1>([kernel.shape[1]]) : tf.mul<tf.Tensor1D>(bias, tf.scalar(slope));
    return { kernel: tf.mul(kernel, tf.scalar(slope)), bias: tf.add(scaled, tf.scalar(offset)) };
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = singleSequence(inputs, this.name);
      const { hidden, gate, output } = this.feedForwardProjections('', this.activation === 'swiglu');
      if (gate === undefined) return project(this.polynomial(project(x, hidden)), output);
      return project(tf.mul(this.polynomial(project(x, gate)), project(x, hidden)), output);
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), hiddenDim: this.hiddenDim, activation: this.activation };
  }
}
tf.serialization.registerClass(PolynomialFeedForward);

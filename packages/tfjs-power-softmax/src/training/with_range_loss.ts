import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors.js';
import { type RangeLossOptions, rangeLoss } from '../ranges/range_loss.js';
import { collectRanges, type RangeSite } from '../ranges/recorder.js';
import { validateNonNegative } from '../validate.js';

// tfjs-core does not export the type of its elements.
type NamedTensors = Awaited<ReturnType<tf.Optimizer['getWeights']>>;

/** The range loss of one training step. */
export interface RangeLossSettings extends RangeLossOptions {
  /** Factor of the range loss, >= 0. Default 1. With 0 nothing is recorded or computed. */
  readonly weight?: number;
}

/** Settings by training step, which counts from 0. */
export type RangeSchedule = (step: number) => RangeLossSettings;

/** An optimizer that minimises `loss + weight * rangeLoss`; see {@link withRangeLoss}. */
export class RangeLossOptimizer extends tf.Optimizer {
  static readonly className = 'RangeLossOptimizer';
  /** Steps so far. Set it to continue a schedule where an earlier run stopped. */
  step = 0;

  constructor(
    /** Takes the steps; its state is the whole state but for `step`. */
    readonly optimizer: tf.Optimizer,
    private readonly schedule: RangeSchedule,
  ) {
    super();
  }

  override computeGradients(f: () => tf.Scalar, variables?: tf.Variable[]): { value: tf.Scalar; grads: tf.NamedTensorMap } {
    const { weight = 1, targets } = this.schedule(this.step);
    validateNonNegative('weight', weight);
    const withRanges = (): tf.Scalar => {
      const { result, sites } = collectRanges(f);
      validateTargets(sites, { targets });
      return tf.add(result, tf.mul(rangeLoss(sites, { targets }), tf.scalar(weight)));
    };
    const computed = this.optimizer.computeGradients(weight === 0 ? f : withRanges, variables);
    this.step += 1;
    return computed;
  }

  override applyGradients(gradients: tf.NamedTensorMap | NamedTensors): void {
    this.optimizer.applyGradients(gradients);
  }

  // Everything else is the wrapped optimizer's, so that a model saved with its optimizer loads with a plain one.
  override get iterations(): number {
    return this.optimizer.iterations;
  }

  override getClassName(): string {
    return this.optimizer.getClassName();
  }

  getConfig(): tf.serialization.ConfigDict {
    return this.optimizer.getConfig();
  }

  override getWeights(): Promise<NamedTensors> {
    return this.optimizer.getWeights();
  }

  override setWeights(weights: NamedTensors): Promise<void> {
    return this.optimizer.setWeights(weights);
  }

  override saveIterations(): ReturnType<tf.Optimizer['saveIterations']> {
    return this.optimizer.saveIterations();
  }

  override dispose(): void {
    this.optimizer.dispose();
  }
}

/**
 * Adds the range loss to every step of an optimizer, for `model.fit`, `fitDataset` and `trainOnBatch` (which have no place for a loss that
 * reads more than a model's outputs) and for `optimizer.minimize` in loops of your own:
 *
 *     model.compile({ optimizer: withRangeLoss(tf.train.adam(1e-3), { targets, weight: 0.1 }), loss: 'categoricalCrossentropy' });
 *
 * Exact: the ranges are collected from the very forward pass that the loss is computed from, so the gradient is that of
 * `loss + weight * rangeLoss(sites, { targets })`. The `loss` that training logs is this sum; validation logs the task's loss alone.
 *
 * @param settings the same for every step, or a schedule such as `tightenRanges`
 * @returns an optimizer; training with it throws InvalidArgumentError for a negative weight, a target of a site that the model does not
 *   report, or a step that reports no site at all
 */
export function withRangeLoss(optimizer: tf.Optimizer, settings: RangeLossSettings | RangeSchedule): RangeLossOptimizer {
  return new RangeLossOptimizer(optimizer, typeof settings === 'function' ? settings : () => settings);
}

function validateTargets(sites: readonly RangeSite[], { targets }: RangeLossOptions): void {
  const known = [...new Set(sites.map(({ name }) => name))];
  if (known.length === 0) {
    throw new InvalidArgumentError(
      'The loss reports no ranges: the model has no layer of this package with a function to approximate. Train it without range loss.',
      {},
    );
  }
  // A function may be absent from a model; a site (`layer/part`) that is absent is a misspelling.
  const missing = Object.keys(targets).find((key) => key.includes('/') && !known.includes(key));
  if (missing !== undefined) {
    throw new InvalidArgumentError(`The model reports no site ${missing}. It reports ${known.join(', ')}.`, { site: missing, known });
  }
}

import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { type ApproximatedFunction, collectRanges, type RangeSite } from '../ranges/recorder.js';

/** What a model's non-polynomial functions were given over a data set. */
export interface SiteObservation {
  readonly name: string;
  readonly function: ApproximatedFunction;
  /** Analytic lower bound of the inputs, where there is one. */
  readonly floor?: number;
  /** The interval of the polynomial in use, for models that are polynomial already. */
  readonly interval?: readonly [lower: number, upper: number];
  readonly min: number;
  readonly max: number;
  /** Evenly spaced inputs, at most a fixed number per site. */
  readonly sample: Float32Array;
  readonly count: number;
  /** Number of inputs outside `interval`; 0 without one. */
  readonly outside: number;
}

/** Model inputs: one tensor per input, first axis the examples. */
export type ModelInputs = tf.Tensor | readonly tf.Tensor[];

const MAX_SAMPLES = 1 << 15;
/** Rounding of float32 arithmetic allowed at the ends of an interval, as a share of its width. */
const ROUNDING = 1e-5;

/** Mutable while a data set is being read. */
interface Accumulator {
  readonly site: RangeSite;
  readonly parts: Float32Array[];
  min: number;
  max: number;
  count: number;
  outside: number;
}

/**
 * Runs a model over data and records what its layers report.
 *
 * @param inputs `[examples, ...]` per model input
 * @param batchSize examples at once, which bounds memory
 * @throws InvalidArgumentError for no examples
 */
export function observeSites(model: LayersModel, inputs: ModelInputs, batchSize = 64): SiteObservation[] {
  const tensors: readonly tf.Tensor[] = inputs instanceof tf.Tensor ? [inputs] : inputs;
  const examples = tensors[0]?.shape[0] ?? 0;
  if (examples === 0) throw new InvalidArgumentError('The data holds no examples. Give at least a few hundred.', { examples });
  const accumulators = new Map<string, Accumulator>();
  for (let start = 0; start < examples; start += batchSize) {
    tf.tidy(() => {
      const size = Math.min(batchSize, examples - start);
      const batch = tensors.map((tensor) => tf.slice(tensor, start, size));
      const { sites } = collectRanges(() => model.predictOnBatch(batch));
      for (const site of sites) accumulate(accumulators, site, examples / size);
    });
  }
  return [...accumulators.values()].map(observation);
}

/** Whether a value is outside of an interval by more than float32 rounding; NaN is. */
export function outsideOf([lower, upper]: readonly [lower: number, upper: number]): (value: number) => boolean {
  const slack = ROUNDING * (upper - lower);
  // NaN fails every comparison.
  return (value) => !(value >= lower - slack && value <= upper + slack);
}

function accumulate(accumulators: Map<string, Accumulator>, site: RangeSite, batches: number): void {
  const values = site.values.dataSync<'float32'>();
  const known = accumulators.get(site.name);
  const accumulator = known ?? { site, parts: [], min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, count: 0, outside: 0 };
  if (known === undefined) accumulators.set(site.name, accumulator);
  // Without an interval NaN alone is outside.
  const isOutside = site.interval === undefined ? Number.isNaN : outsideOf(site.interval);
  const stride = Math.max(1, Math.ceil((values.length * batches) / MAX_SAMPLES));
  const kept: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (isOutside(value)) accumulator.outside += 1;
    accumulator.min = Math.min(accumulator.min, value);
    accumulator.max = Math.max(accumulator.max, value);
    if (i % stride === 0) kept.push(value);
  }
  accumulator.count += values.length;
  accumulator.parts.push(Float32Array.from(kept));
}

function observation({ site, parts, min, max, count, outside }: Accumulator): SiteObservation {
  const sample = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    sample.set(part, offset);
    offset += part.length;
  }
  const { name, floor, interval } = site;
  return {
    name,
    function: site.function,
    ...(floor === undefined ? {} : { floor }),
    ...(interval === undefined ? {} : { interval }),
    min,
    max,
    sample,
    count,
    outside,
  };
}

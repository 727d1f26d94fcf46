import type { LayersModel } from '@tensorflow/tfjs-layers';
import { IntervalError, InvalidArgumentError } from '../errors.js';
import { type ApproximatedFunction, observeRanges } from '../ranges/recorder.js';
import { type ModelInputs, observeSites, outsideOf } from './calibrate.js';

/** Whether a polynomial stayed on its interval. */
export interface IntervalCheck {
  readonly site: string;
  readonly function: ApproximatedFunction;
  readonly interval: readonly [lower: number, upper: number];
  readonly observed: readonly [min: number, max: number];
  /** Number of inputs seen, and of those outside the interval by more than float32 rounding. */
  readonly count: number;
  readonly outside: number;
  readonly inside: boolean;
}

/**
 * Runs a polynomial model in the clear and compares the input of every polynomial with its interval.
 *
 * @param inputs `[examples, ...]` per model input
 * @returns one entry per site, in the order of evaluation
 * @throws InvalidArgumentError for a model without polynomials, or no examples
 */
export function checkIntervals(model: LayersModel, inputs: ModelInputs, batchSize?: number): IntervalCheck[] {
  const checks = observeSites(model, inputs, batchSize).flatMap(({ name, function: kind, interval, min, max, count, outside }) =>
    interval === undefined
      ? []
      : [{ site: name, function: kind, interval, observed: [min, max] as const, count, outside, inside: outside === 0 }],
  );
  if (checks.length === 0)
    throw new InvalidArgumentError(`Model ${model.name} has no polynomials. Convert it with toPolynomial first.`, {});
  return checks;
}

/** {@link checkIntervals}, for callers that want to stop. @throws IntervalError naming every site that left its interval */
export function assertIntervals(model: LayersModel, inputs: ModelInputs, batchSize?: number): void {
  const left = checkIntervals(model, inputs, batchSize).filter((check) => !check.inside);
  if (left.length === 0) return;
  throw intervalError(left);
}

/**
 * Checked mode: until the returned function is called, every polynomial that is evaluated in the clear outside of its interval is reported by
 * name, whatever runs it (`predict`, `apply`, a loop of your own). Reads the input of every polynomial back, which takes time on GPU backends.
 *
 * @param report gets the sites that leave their intervals, one evaluation each. By default they throw an IntervalError out of what runs the model.
 */
export function watchIntervals(report: (check: IntervalCheck) => void = refuse): () => void {
  return observeRanges(({ name, function: kind, interval, values }) => {
    if (interval === undefined) return;
    const data = values.dataSync<'float32'>();
    const outside = data.filter(outsideOf(interval)).length;
    if (outside === 0) return;
    const observed = data.reduce<readonly [number, number]>(
      ([min, max], value) => [Math.min(min, value), Math.max(max, value)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
    report({ site: name, function: kind, interval, observed, count: data.length, outside, inside: false });
  });
}

function refuse(check: IntervalCheck): never {
  throw intervalError([check]);
}

function intervalError(left: readonly IntervalCheck[]): IntervalError {
  const list = left.map(
    ({ site, interval, observed, outside, count }) => `${site} saw [${observed}], made for [${interval}], ${outside} of ${count} outside`,
  );
  return new IntervalError(`${list.join('; ')}. Convert again with a larger margin or calibration data that covers these inputs.`, {
    sites: left.map((check) => check.site),
  });
}

import { type ApproximateOptions, approximate } from '../approximation/approximate.js';
import { type ApproximationMethod, approximationErrors, isIterationMethod } from '../approximation/approximation.js';
import type { Interval } from '../approximation/chebyshev.js';
import { FUNCTIONS } from '../approximation/functions.js';
import { InvalidArgumentError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import type { SiteObservation } from './calibrate.js';
import type { SiteApproximation } from './site_approximation.js';

/** Values by site name, or by function for all its sites; a name wins. */
export type PerSite<T> = Readonly<Record<string, T>> & Partial<Record<ApproximatedFunction, T>>;

/** How the polynomials of a model are chosen. */
export interface FitOptions {
  /**
   * Factor by which the observed ranges are widened, >= 1: `[floor, floor + margin * (max - floor)]` for denominators and variances, whose
   * lower end `floor` (the epsilon) is exact, `[margin * min, margin * max]` for activations. Default 1.3.
   */
  readonly margin?: number;
  /** Accuracy of every approximation, `-log2` of its largest error; the lowest degree or fewest steps that reach it are used. Default 8. */
  readonly bits?: number;
  /** Degrees; one wins over `bits`, and makes the site's method `minimax` unless `method` is `chebyshev`. */
  readonly degrees?: PerSite<number>;
  /**
   * Default `auto`: whatever reaches `bits` at the least depth, then with the fewest products. Activations, which no
   * iteration computes, are approximated by `minimax` where an iteration is asked for.
   */
  readonly method?: ApproximationMethod | 'auto';
}

const DEFAULT_MARGIN = 1.3;
const DEFAULT_BITS = 8;
/** Narrowest interval, as a share of its larger end: a constant input still needs an interval around it. */
const MINIMUM_WIDTH = 0.05;

/**
 * Chooses the polynomial of one site from what calibration observed.
 *
 * @throws InvalidArgumentError for a margin below 1, or observations that are not finite
 * @throws ApproximationError where no degree suffices
 */
export function fitSite(observation: SiteObservation, options: FitOptions): SiteApproximation {
  const margin = options.margin ?? DEFAULT_MARGIN;
  if (!Number.isFinite(margin) || margin < 1) throw new InvalidArgumentError(`margin must be at least 1, got ${margin}.`, { margin });
  const { name, min, max, sample } = observation;
  if (!Number.isFinite(min) || !Number.isFinite(max)) {
    throw new InvalidArgumentError(`The calibration data drives ${name} to [${min}, ${max}]. Check it and the model for NaN.`, {
      site: name,
    });
  }
  const approximation = approximate(observation.function, intervalOf(observation, margin), approximateOptions(observation, options));
  const errors = approximationErrors(approximation, sample);
  return {
    ...approximation,
    calibration: { margin, observed: [min, max], samples: sample.length, maxError: errors.max, meanError: errors.mean },
  };
}

function approximateOptions({ name, function: kind }: SiteObservation, options: FitOptions): ApproximateOptions {
  const { degrees, bits = DEFAULT_BITS, method = 'auto' } = options;
  const degree = degrees?.[name] ?? degrees?.[kind];
  if (degree !== undefined) return { degree, method: method === 'chebyshev' ? method : 'minimax' };
  return { bits, method: !FUNCTIONS[kind].positive && isIterationMethod(method) ? 'minimax' : method };
}

function intervalOf({ name, function: kind, floor, min, max }: SiteObservation, margin: number): Interval {
  if (!FUNCTIONS[kind].positive) {
    const width = MINIMUM_WIDTH * Math.max(Math.abs(min), Math.abs(max), 1);
    return [Math.min(min * margin, min - width), Math.max(max * margin, max + width)];
  }
  const lower = floor ?? min / margin;
  if (lower <= 0) {
    throw new InvalidArgumentError(`${name} has epsilon ${lower}: no polynomial approximates a pole. Train with an epsilon above 0.`, {
      site: name,
    });
  }
  return [lower, Math.max(lower + margin * (max - lower), lower * (1 + MINIMUM_WIDTH))];
}

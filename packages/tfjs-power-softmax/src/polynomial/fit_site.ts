import { type ApproximateOptions, approximate } from '../approximation/approximate.js';
import { type ApproximationMethod, approximationErrors, isIterationMethod } from '../approximation/approximation.js';
import type { Interval } from '../approximation/chebyshev.js';
import { FUNCTIONS } from '../approximation/functions.js';
import { InvalidArgumentError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import type { SiteObservation } from './calibrate.js';
import type { SiteApproximation } from './site_approximation.js';

/** Values by site name, or by function for all its sites; a name wins. */
export type PerSite<T> = Readonly<Record<string, T | undefined> & Partial<Record<ApproximatedFunction, T>>>;

/** How the polynomials of a model are chosen. */
export interface FitOptions {
  /**
   * Factor by which the observed ranges are widened, >= 1: `[floor, floor + margin * (max - floor)]` for denominators and variances, whose
   * lower end `floor` (the epsilon) is exact, `[margin * min, margin * max]` for activations. One number, or numbers by site or function;
   * default 1.3.
   */
  readonly margin?: number | PerSite<number>;
  /** Accuracy of every approximation, `-log2` of its largest error; the lowest degree or fewest steps that reach it are used. Default 8. */
  readonly bits?: number;
  /** Degrees; one wins over `bits`, and makes the site's method `minimax` unless `method` is `chebyshev`. */
  readonly degrees?: PerSite<number>;
  /**
   * Default `auto`: whatever reaches `bits` at the least depth, then with the fewest products. Activations, which no iteration computes, are
   * approximated by `minimax` where an iteration or `composite` is asked for.
   */
  readonly method?: ApproximationMethod | 'auto';
}

const DEFAULT_MARGIN = 1.3;
const DEFAULT_BITS = 8;
/** Narrowest interval, as a share of its larger end: inputs that hardly vary still need an interval around them. */
const MINIMUM_WIDTH = 0.05;
/** Variation of inputs, as a share of the largest, below which it is float32 rounding and they are constant. */
const ROUNDING = 1e-6;

/**
 * Chooses the polynomial of one site from what calibration observed.
 *
 * @throws InvalidArgumentError naming the site and its layer for a margin below 1, and for observations that are not finite, have a pole
 * inside, or are all the same (for a denominator or variance: all at its floor), from which no interval follows
 * @throws ApproximationError where no degree and no number of steps suffices
 */
export function fitSite(observation: SiteObservation, options: FitOptions): SiteApproximation {
  const { min, max, sample } = observation;
  const margin = marginOf(observation, options.margin);
  assertInterval(observation);
  const approximation = approximate(observation.function, intervalOf(observation, margin), approximateOptions(observation, options));
  const errors = approximationErrors(approximation, sample);
  return {
    ...approximation,
    calibration: { margin, observed: [min, max], samples: sample.length, maxError: errors.max, meanError: errors.mean },
  };
}

function marginOf({ name, function: kind }: SiteObservation, margins: FitOptions['margin']): number {
  const margin = (typeof margins === 'number' ? margins : (margins?.[name] ?? margins?.[kind])) ?? DEFAULT_MARGIN;
  if (Number.isFinite(margin) && margin >= 1) return margin;
  throw new InvalidArgumentError(`The margin of ${name} must be at least 1, got ${margin}.`, { ...placeOf(name), margin });
}

/** @throws InvalidArgumentError unless the observed inputs span an interval */
function assertInterval({ name, floor, min, max, count }: SiteObservation): void {
  if (count === 0) {
    throw new InvalidArgumentError(`The calibration data gives ${name} no inputs. Give examples with at least one token.`, placeOf(name));
  }
  if (!Number.isFinite(min) || !Number.isFinite(max)) {
    throw new InvalidArgumentError(
      `The calibration data drives ${name} to [${min}, ${max}]. Check it and the model for NaN.`,
      placeOf(name),
    );
  }
  const lower = Math.min(min, floor ?? min);
  if (max - lower <= ROUNDING * Math.max(Math.abs(lower), Math.abs(max))) {
    throw new InvalidArgumentError(
      `The calibration data gives ${name} nothing but ${max}, an empty interval. Give examples as the model will see them, not padding alone.`,
      { ...placeOf(name), value: max },
    );
  }
}

/** `<layer>/<quantity>` taken apart. */
function placeOf(name: string): { readonly site: string; readonly layer: string } {
  return { site: name, layer: name.slice(0, name.lastIndexOf('/')) };
}

function approximateOptions({ name, function: kind }: SiteObservation, options: FitOptions): ApproximateOptions {
  const { degrees, bits = DEFAULT_BITS, method = 'auto' } = options;
  const degree = degrees?.[name] ?? degrees?.[kind];
  if (degree !== undefined) return { degree, method: method === 'chebyshev' ? method : 'minimax' };
  const stepwise = method === 'composite' || isIterationMethod(method);
  return { bits, method: stepwise && !FUNCTIONS[kind].positive ? 'minimax' : method };
}

function intervalOf({ name, function: kind, floor, min, max }: SiteObservation, margin: number): Interval {
  if (!FUNCTIONS[kind].positive) {
    const width = MINIMUM_WIDTH * Math.max(Math.abs(min), Math.abs(max), 1);
    return [Math.min(min * margin, min - width), Math.max(max * margin, max + width)];
  }
  const lower = floor ?? min / margin;
  if (lower <= 0) {
    throw new InvalidArgumentError(`${name} has epsilon ${lower}: no polynomial approximates a pole. Train with an epsilon above 0.`, {
      ...placeOf(name),
      epsilon: lower,
    });
  }
  return [lower, Math.max(lower + margin * (max - lower), lower * (1 + MINIMUM_WIDTH))];
}

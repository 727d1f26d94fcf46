import type { serialization } from '@tensorflow/tfjs-core';
import { type Approximation, type ApproximationMethod, evaluateApproximation } from '../approximation/approximate.js';
import { toUnit } from '../approximation/chebyshev.js';
import { InvalidArgumentError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import { validateOneOf } from '../validate.js';

/** What the calibration data said about a site. */
export interface CalibrationRecord {
  /** Factor by which the observed range was widened to get the interval. */
  readonly margin: number;
  /** Smallest and largest input observed. */
  readonly observed: readonly [min: number, max: number];
  /** Number of inputs over which the errors below were measured. */
  readonly samples: number;
  /** Largest and mean error of the approximation over those inputs, in the approximation's measure. */
  readonly maxError: number;
  readonly meanError: number;
}

/** An approximation in the place where it is used, with its calibration. Serialised in the configuration of its layer. */
export interface SiteApproximation extends Approximation {
  readonly calibration: CalibrationRecord;
}

const FUNCTION_NAMES: readonly ApproximatedFunction[] = ['reciprocal', 'rsqrt', 'gelu'];
const METHODS: readonly ApproximationMethod[] = ['minimax', 'chebyshev'];

/**
 * Checks a configuration that may come from a file.
 * @throws InvalidArgumentError unless it is an approximation of `expected` that can be evaluated
 */
export function validateSiteApproximation(site: SiteApproximation, expected: ApproximatedFunction): SiteApproximation {
  const name = validateOneOf('function', site.function, FUNCTION_NAMES);
  validateOneOf('method', site.method, METHODS);
  const [lower, upper] = site.interval;
  const usable =
    Array.isArray(site.coefficients) && site.coefficients.length === site.degree + 1 && site.coefficients.every(Number.isFinite);
  if (name !== expected || !usable || !(lower < upper) || !Number.isFinite(evaluateApproximation(site, lower))) {
    throw new InvalidArgumentError(`This layer needs a polynomial for ${expected}; its configuration has none. Convert the model again.`, {
      expected,
      name,
    });
  }
  return site;
}

/** The configuration as JSON; `validateSiteApproximation` reads it back. */
export function siteConfig(site: SiteApproximation): serialization.ConfigDict {
  const { calibration } = site;
  return {
    ...site,
    interval: [...site.interval],
    coefficients: [...site.coefficients],
    calibration: { ...calibration, observed: [...calibration.observed] },
  };
}

/** `slope` and `offset` of the unit variable `u = slope * x + offset`. */
export function unitMap(site: SiteApproximation): { readonly slope: number; readonly offset: number } {
  return toUnit(site.interval);
}

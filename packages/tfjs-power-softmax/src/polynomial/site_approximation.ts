import type { serialization } from '@tensorflow/tfjs-core';
import { type Approximation, type ApproximationMethod, evaluateApproximation, variableMap } from '../approximation/approximation.js';
import type { AffineMap } from '../approximation/chebyshev.js';
import { FUNCTIONS } from '../approximation/functions.js';
import { ITERATION_METHODS, MAX_STEPS } from '../approximation/iteration.js';
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

const FUNCTION_NAMES: readonly ApproximatedFunction[] = ['reciprocal', 'rsqrt', 'gelu', 'silu'];
const METHODS: readonly ApproximationMethod[] = ['minimax', 'chebyshev', ...ITERATION_METHODS, 'composite'];

/**
 * Checks a configuration that may come from a file.
 * @throws InvalidArgumentError naming the layer unless it is an approximation of `expected` that can be evaluated
 */
export function validateSiteApproximation(site: SiteApproximation, expected: ApproximatedFunction, layer: string): SiteApproximation {
  const name = validateOneOf('function', site.function, FUNCTION_NAMES, layer);
  validateOneOf('method', site.method, METHODS, layer);
  const [lower, upper] = site.interval;
  if (name !== expected || !hasConstants(site) || !(lower < upper) || !Number.isFinite(evaluateApproximation(site, lower))) {
    throw new InvalidArgumentError(`${layer} needs a polynomial for ${expected}; its configuration has none. Convert the model again.`, {
      layer,
      expected,
      name,
    });
  }
  return site;
}

function hasConstants({ method, function: name, steps, degree, coefficients, interval }: SiteApproximation): boolean {
  if (!Array.isArray(coefficients) || !coefficients.every(Number.isFinite)) return false;
  if (method === 'minimax' || method === 'chebyshev') return coefficients.length === degree + 1;
  const inRange = steps !== undefined && Number.isInteger(steps) && steps >= 1 && steps <= MAX_STEPS;
  if (!inRange || !FUNCTIONS[name].positive || !(interval[0] > 0)) return false;
  return method === 'composite' && name === 'rsqrt' ? coefficients.length > 1 : coefficients.length === 0;
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

/** `slope` and `offset` of the variable `slope * x + offset` that the approximation is evaluated in. */
export function unitMap(site: SiteApproximation): AffineMap {
  return variableMap(site);
}

import { InvalidArgumentError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import { type Approximation, type ApproximationMethod, isIterationMethod } from './approximation.js';
import type { Interval } from './chebyshev.js';
import { cheapestApproximation } from './choose.js';
import { compositeOf, compositeOfAccuracy } from './fit_composite.js';
import { iterationOfAccuracy, iterationOfSteps } from './fit_iteration.js';
import { polynomialOfAccuracy, polynomialOfDegree } from './fit_polynomial.js';
import { FUNCTIONS } from './functions.js';

export interface ApproximateOptions {
  /** Degree of the polynomial, 1..63, for `minimax` and `chebyshev`; with `steps`, of the first stage of `composite` (2 for `reciprocal`). */
  readonly degree?: number;
  /** Steps, 1..32, for `goldschmidt`, `adaptive-goldschmidt` and `newton`, and after the first stage of `composite`. */
  readonly steps?: number;
  /** Accuracy `-log2(maxError)` to reach with the lowest degree or the fewest steps that do, where neither is given. */
  readonly bits?: number;
  /** Default `minimax`. Iterations compute `reciprocal` and `rsqrt`; `auto` takes the least depth, then the fewest products, for `bits`. */
  readonly method?: ApproximationMethod | 'auto';
}

/**
 * Approximates one of the package's functions on an interval.
 *
 * @throws InvalidArgumentError for an empty interval, one that leaves the function's domain, a degree or number of steps out of range, or
 * one that does not belong to the method
 * @throws ApproximationError where no degree up to 63, or no number of steps up to 32, reaches `bits`
 */
export function approximate(name: ApproximatedFunction, interval: Interval, options: ApproximateOptions): Approximation {
  const [lower, upper] = interval;
  if (!(Number.isFinite(lower) && Number.isFinite(upper) && lower < upper) || (FUNCTIONS[name].positive && lower <= 0)) {
    throw new InvalidArgumentError(`${name} cannot be approximated on [${lower}, ${upper}]. Use a larger epsilon.`, { lower, upper });
  }
  const { degree, steps, bits, method = 'minimax' } = options;
  if (method === 'auto') {
    if (degree === undefined && steps === undefined) return cheapestApproximation(name, interval, toleranceOf(name, bits));
    throw new InvalidArgumentError("Method 'auto' chooses the degree or steps by itself. Give bits alone.", { function: name });
  }
  if (method === 'composite') return composite(name, interval, options);
  if (isIterationMethod(method)) {
    if (degree !== undefined) throw new InvalidArgumentError(`${method} has steps, not a degree. Give steps or bits.`, { method, degree });
    return steps === undefined
      ? iterationOfAccuracy(name, interval, toleranceOf(name, bits), method)
      : iterationOfSteps(name, interval, steps, method);
  }
  if (steps !== undefined) throw new InvalidArgumentError(`${method} has a degree, not steps. Give a degree or bits.`, { method, steps });
  return degree === undefined
    ? polynomialOfAccuracy(name, interval, toleranceOf(name, bits), method)
    : polynomialOfDegree(name, interval, degree, method);
}

function composite(name: ApproximatedFunction, interval: Interval, { degree, steps, bits }: ApproximateOptions): Approximation {
  if (name !== 'rsqrt' && name !== 'reciprocal') {
    throw new InvalidArgumentError(`Method 'composite' computes reciprocal and rsqrt, not ${name}. Use 'minimax'.`, { function: name });
  }
  if (degree === undefined && steps === undefined) return compositeOfAccuracy(name, interval, toleranceOf(name, bits));
  if (degree !== undefined && steps !== undefined) return compositeOf(name, interval, degree, steps);
  throw new InvalidArgumentError("Method 'composite' has both a degree and steps. Give both, or bits.", { function: name });
}

function toleranceOf(name: ApproximatedFunction, bits: number | undefined): number {
  if (bits === undefined) throw new InvalidArgumentError('approximate needs a degree, steps, or a number of bits.', { function: name });
  return 2 ** -bits;
}

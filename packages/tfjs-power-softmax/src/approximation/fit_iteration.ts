import { ApproximationError } from '../errors.js';
import type { ApproximatedFunction } from '../ranges/recorder.js';
import { type Approximation, approximationErrors } from './approximation.js';
import type { Interval } from './chebyshev.js';
import { costOf } from './cost.js';
import { errorGrid, FUNCTIONS } from './functions.js';
import { type IterationMethod, iteration, MAX_STEPS } from './iteration.js';

/** @throws InvalidArgumentError for a number of steps out of range, or a function that has no iteration */
export function iterationOfSteps(name: ApproximatedFunction, interval: Interval, steps: number, method: IterationMethod): Approximation {
  const { degree, evaluate } = iteration(name, method, interval, steps);
  const { measure } = FUNCTIONS[name];
  const cost = costOf((counter, variable) => evaluate(counter, variable, 1));
  const base = { function: name, interval, method, degree, coefficients: [], steps, measure, ...cost };
  const { max, mean } = approximationErrors(base, errorGrid(interval));
  return { ...base, maxError: max, meanError: mean };
}

/** The fewest steps that reach an error. @throws ApproximationError where rounding or 32 steps keep them from it */
export function iterationOfAccuracy(
  name: ApproximatedFunction,
  interval: Interval,
  tolerance: number,
  method: IterationMethod,
): Approximation {
  let before = Number.POSITIVE_INFINITY;
  for (let steps = 1; steps <= MAX_STEPS; steps++) {
    const candidate = iterationOfSteps(name, interval, steps, method);
    if (candidate.maxError <= tolerance) return candidate;
    // Errors fall with every step until rounding stops them.
    if (candidate.maxError >= before) break;
    before = candidate.maxError;
  }
  throw new ApproximationError(
    `No number of steps of ${method} up to ${MAX_STEPS} reaches ${tolerance} for ${name} on [${interval}]. Ask for fewer bits, or narrow the interval with a range loss or a larger epsilon.`,
    { function: name, interval: [...interval], method, tolerance },
  );
}

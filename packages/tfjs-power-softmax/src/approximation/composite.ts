import { clenshaw, type Interval, toUnit } from './chebyshev.js';
import { cheapestBabySteps } from './cost.js';
import { evaluateChebyshev, type PolynomialAlgebra } from './evaluate.js';
import type { Iteration } from './iteration.js';
import { rsqrtScaling } from './step_scaling.js';

/**
 * `1/sqrt(x)` as a minimax polynomial `p` of low accuracy followed by Newton steps, each scaled optimally for the range that the stage before
 * left (which makes each step the minimax line in `x y^2`). On wide intervals a level spent on doubling the degree of `p` gains more than one
 * spent on steps; on narrow ones it is the other way round, hence both. Takes two levels and three products a step besides those of `p`.
 *
 * @param coefficients Chebyshev coefficients of `p` on the unit variable of the interval, for the relative error
 */
export function compositeRsqrt(interval: Interval, coefficients: readonly number[], steps: number): Iteration {
  const [lower, upper] = interval;
  const halfWidth = (upper - lower) / 2;
  // The minimax error is taken at both ends.
  const error = Math.max(
    Math.abs(clenshaw(coefficients, -1) * Math.sqrt(lower) - 1),
    Math.abs(clenshaw(coefficients, 1) * Math.sqrt(upper) - 1),
  );
  const { scales, centring } = rsqrtScaling(((1 - error) / (1 + error)) ** 2, steps, true);
  // z = y sqrt(halfWidth / 2) and v = x / halfWidth = u + shift: x y^2 = 2 v z^2, without a multiplication by a constant.
  const shift = (lower + upper) / (upper - lower);
  const start = coefficients.map((c) => (c * Math.sqrt(halfWidth / 2)) / (1 + error));
  const { babySteps } = cheapestBabySteps(start);
  return {
    variable: toUnit(interval),
    degree: Array.from({ length: steps }).reduce<number>((degree) => 3 * degree + 1, coefficients.length - 1),
    evaluate<T>(algebra: PolynomialAlgebra<T>, variable: T, factor: number): T {
      const v = algebra.addConstant(variable, shift);
      let z = evaluateChebyshev(algebra, start, variable, babySteps);
      for (const [i, scale] of scales.entries()) {
        const gain = i === steps - 1 ? centring * factor * Math.sqrt(2 / halfWidth) : 1;
        const cubic = algebra.multiply(algebra.multiply(algebra.scale(v, gain * scale ** 1.5), z), algebra.square(z));
        z = algebra.subtract(algebra.scale(z, 1.5 * gain * Math.sqrt(scale)), cubic);
      }
      return z;
    },
  };
}

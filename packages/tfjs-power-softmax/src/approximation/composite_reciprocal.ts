import { type Interval, toUnit } from './chebyshev.js';
import type { PolynomialAlgebra } from './evaluate.js';
import type { Iteration } from './iteration.js';

/** Degree of the first stage. Higher ones cost what more steps cost. */
export const RECIPROCAL_FIRST_DEGREE = 2;

/**
 * `1/x` as the minimax polynomial `q` of degree 2 for the relative error, followed by Goldschmidt steps, each rescaled for the range that the
 * stage before left. The residual `1 - x q` of the first stage is `T_3(-w) / T_3(sigma)`, `w` the unit variable and `-sigma` its value at `x = 0`;
 * a step turns `T_m` into `T_2m = 2 T_m^2 - 1`, so the result is again minimax, of degree `3 * 2^n - 1`. Takes a product less than
 * `adaptive-goldschmidt`, whose degrees are `2^n - 1`, at the same depth: `n + 2` levels and `2 n + 1` products.
 */
export function compositeReciprocal(interval: Interval, steps: number): Iteration {
  const [lower, upper] = interval;
  const { slope, offset } = toUnit(interval);
  const sigma = (upper + lower) / (upper - lower);
  // errors[i] = 1 / T_(3 * 2^i)(sigma), the largest residual of stage i; 1 + errors[i + 1] rescales step i.
  const errors = [1 / (sigma * (4 * sigma ** 2 - 3))];
  for (let i = 0; i < steps; i++) {
    const squared = (errors[i] ?? 0) ** 2;
    errors.push(squared / (2 - squared));
  }
  const rescaling = (step: number): number => 1 + (errors[step + 1] ?? 0);
  // Residuals are carried as lambda times themselves, so that they become a square and a constant without a multiplication by one.
  const lambdas = new Array<number>(steps).fill(1);
  for (let i = steps - 2; i >= 0; i--) lambdas[i] = Math.sqrt((lambdas[i + 1] ?? 1) * rescaling(i));
  const [lambda = 1] = lambdas;
  const scale = (errors[0] ?? 0) * lambda;
  // The variable is g w with g^3 = 4 * scale: the first residual needs no constant factor either.
  const g = Math.cbrt(4 * scale);
  const gain = lambdas.reduce((product, each, i) => (product * rescaling(i)) / each, -slope * (errors[0] ?? 0));
  return {
    variable: { slope: slope * g, offset: offset * g },
    degree: 3 * 2 ** steps - 1,
    evaluate<T>(algebra: PolynomialAlgebra<T>, variable: T, factor: number): T {
      const squared = algebra.square(variable);
      const all = gain * factor;
      const quadratic = algebra.subtract(algebra.scale(squared, (4 * all) / g ** 2), algebra.scale(variable, (4 * all * sigma) / g));
      let y = algebra.addConstant(quadratic, all * (4 * sigma ** 2 - 3));
      // With the sign of T_3(w): the factor of the first step is turned, as is the gain.
      let t = algebra.multiply(variable, algebra.addConstant(squared, (-3 * scale) / g));
      y = algebra.multiply(y, algebra.addConstant(t, -lambda));
      for (let i = 1; i < steps; i++) {
        const next = lambdas[i] ?? 1;
        t = algebra.addConstant(algebra.square(t), -next * (errors[i] ?? 0));
        y = algebra.multiply(y, algebra.addConstant(t, next));
      }
      return y;
    },
  };
}

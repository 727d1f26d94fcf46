import type { Interval } from './chebyshev.js';
import type { PolynomialAlgebra } from './evaluate.js';
import type { Iteration } from './iteration.js';
import { reciprocalScaling, rsqrtScaling } from './step_scaling.js';

/**
 * Newton's division, `y <- y (2 - x y)` from the constant `2 / (lower + upper)`: the error of plain Goldschmidt, in `2 (n - 1)` levels and
 * products (one level for one step). Each step starts from `x` again, so noise of earlier steps is corrected.
 */
export function newtonReciprocal([lower, upper]: Interval, steps: number): Iteration {
  const guess = (reciprocalScaling(lower / upper, 1, false).scales[0] ?? 1) / upper;
  return {
    variable: { slope: guess, offset: 0 },
    degree: 2 ** steps - 1,
    evaluate<T>(algebra: PolynomialAlgebra<T>, variable: T, factor: number): T {
      // y = -guess * m: with the sign turned, no step negates.
      const gain = -guess * factor;
      let m = algebra.addConstant(variable, -2);
      if (steps === 1) return algebra.scale(m, gain);
      for (let i = 1; i < steps; i++) {
        const correction = algebra.addConstant(algebra.multiply(variable, m), 2);
        // The gain runs beside the product of the correction.
        m = algebra.multiply(i === steps - 1 ? algebra.scale(m, gain) : m, correction);
      }
      return m;
    },
  };
}

/**
 * Newton's inverse square root, `y <- y (3 - x y^2) / 2` from an optimally scaled constant, with the error of plain Goldschmidt. `(x y) y^2`
 * takes two levels a step, and three products.
 */
export function newtonRsqrt([lower, upper]: Interval, steps: number): Iteration {
  const guess = Math.sqrt((rsqrtScaling(lower / upper, 1, false).scales[0] ?? 1) / upper);
  return {
    variable: { slope: (guess * guess) / 2, offset: 0 },
    degree: (3 ** steps - 1) / 2,
    evaluate<T>(algebra: PolynomialAlgebra<T>, variable: T, factor: number): T {
      // y = -guess * m, and the variable is guess^2 x / 2: m <- 3/2 m - variable m^3.
      const gain = -guess * factor;
      let m = algebra.addConstant(variable, -1.5);
      if (steps === 1) return algebra.scale(m, gain);
      for (let i = 1; i < steps; i++) {
        const last = i === steps - 1;
        const cubic = algebra.multiply(algebra.multiply(last ? algebra.scale(variable, gain) : variable, m), algebra.square(m));
        m = algebra.subtract(algebra.scale(m, last ? 1.5 * gain : 1.5), cubic);
      }
      return m;
    },
  };
}

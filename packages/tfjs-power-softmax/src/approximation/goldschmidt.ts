import type { Interval } from './chebyshev.js';
import type { PolynomialAlgebra } from './evaluate.js';
import type { Iteration } from './iteration.js';
import { reciprocalScaling, rsqrtScaling, type StepScaling } from './step_scaling.js';

/**
 * Goldschmidt's division, `d <- d (2 - d)`, `y <- y (2 - d)` from `d = x / upper`, with `d` scaled by `k` before a step (`adaptive`: before
 * each; THOR, CCS 2025, after successive over-relaxation). With `w = k d - 1`,
 *
 *     w_(i+1) = (k_(i+1) - 1) - k_(i+1) w_i^2,   1/x ~ 1/upper * prod_i k_i (1 - w_i).
 *
 * `n` steps take `n` levels and `2 (n - 1)` products: the residual is carried as `t = -+lambda w` with lambdas for which it becomes
 * `t^2 - constant`. Errors: `((kappa - 1) / (kappa + 1))^(2^n)` plain. Adaptive, `w` runs through the Chebyshev polynomials `T_(2^i)`, and
 * the result is the best polynomial of degree `2^n - 1` in the relative error, `1 / T_(2^n)((kappa + 1) / (kappa - 1))`.
 */
export function goldschmidtReciprocal([lower, upper]: Interval, steps: number, adaptive: boolean): Iteration {
  const { scales, centring } = reciprocalScaling(lower / upper, steps, adaptive);
  const lambdas = carried(scales, (next) => Math.sqrt(next));
  const gain = scales.reduce((product, k, i) => (product * k) / (lambdas[i] ?? 1), centring / upper);
  const [first = 1] = lambdas;
  return {
    variable: { slope: (first * (scales[0] ?? 1)) / upper, offset: -first },
    degree: 2 ** steps - 1,
    evaluate<T>(algebra: PolynomialAlgebra<T>, variable: T, factor: number): T {
      let t = variable;
      let y = algebra.addConstant(algebra.scale(t, -gain * factor), gain * factor * first);
      for (let i = 1; i < steps; i++) {
        const lambda = lambdas[i] ?? 1;
        const shift = lambda * (1 - (scales[i] ?? 1));
        const squared = algebra.square(t);
        t = shift === 0 ? squared : algebra.addConstant(squared, shift);
        y = algebra.multiply(y, algebra.addConstant(t, lambda));
      }
      return y;
    },
  };
}

/**
 * Goldschmidt's inverse square root, `r <- r ((3 - r) / 2)^2`, `y <- y (3 - r) / 2` from `r = x / upper`, with `r` scaled by `s` before a step
 * (`adaptive`: before each). `n` steps take `2 n - 1` levels and `3 (n - 1)` products: all constants are in the scale that `r` is carried in.
 */
export function goldschmidtRsqrt([lower, upper]: Interval, steps: number, adaptive: boolean): Iteration {
  const { scales, centring } = rsqrtScaling(lower / upper, steps, adaptive);
  const lambdas = carried(scales, (next) => Math.cbrt(next / 4));
  const gain = scales.reduce((product, s, i) => (-product * Math.sqrt(s)) / (2 * (lambdas[i] ?? 1)), centring / Math.sqrt(upper));
  const [first = 1] = lambdas;
  return {
    variable: { slope: (first * (scales[0] ?? 1)) / upper, offset: 0 },
    degree: (3 ** steps - 1) / 2,
    evaluate<T>(algebra: PolynomialAlgebra<T>, variable: T, factor: number): T {
      let r = variable;
      let g = algebra.addConstant(r, -3 * first);
      let y = algebra.scale(g, gain * factor);
      for (let i = 1; i < steps; i++) {
        r = algebra.multiply(r, algebra.square(g));
        g = algebra.addConstant(r, -3 * (lambdas[i] ?? 1));
        y = algebra.multiply(y, g);
      }
      return y;
    },
  };
}

/** Scales the residuals are carried in, so that no step multiplies by a constant: `lambda_i = before(scale_(i+1) lambda_(i+1))`, the last 1. */
function carried(scales: StepScaling['scales'], before: (next: number) => number): number[] {
  const lambdas = new Array<number>(scales.length).fill(1);
  for (let i = scales.length - 2; i >= 0; i--) lambdas[i] = before((scales[i + 1] ?? 1) * (lambdas[i + 1] ?? 1));
  return lambdas;
}

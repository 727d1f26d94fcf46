import type { ApproximatedFunction } from '../ranges/recorder.js';
import { fromUnit, type Interval } from './chebyshev.js';

/** How an approximation's error is measured: `relative` is `|q/f - 1|`, `absolute` is `|q - f|`. */
export type ErrorMeasure = 'relative' | 'absolute';

interface FunctionDefinition {
  readonly evaluate: (x: number) => number;
  readonly measure: ErrorMeasure;
  /** True where the function is only defined for positive arguments. */
  readonly positive: boolean;
}

/** Float64 definitions of the approximated functions. Errors of scale factors matter relatively, those of activations absolutely. */
export const FUNCTIONS: Readonly<Record<ApproximatedFunction, FunctionDefinition>> = {
  reciprocal: { evaluate: (x) => 1 / x, measure: 'relative', positive: true },
  rsqrt: { evaluate: (x) => 1 / Math.sqrt(x), measure: 'relative', positive: true },
  gelu: { evaluate: (x) => (x * (1 + erf(x * Math.SQRT1_2))) / 2, measure: 'absolute', positive: false },
  silu: { evaluate: (x) => x / (1 + Math.exp(-x)), measure: 'absolute', positive: false },
};

/**
 * Error function to about 1e-15: `2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!` (DLMF 7.6.2), all of whose terms have one sign.
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; term * term > 1e-34 * sum * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Error of the approximation `q` of `f` at one point, in the given measure. */
export function errorOf(q: number, f: number, measure: ErrorMeasure): number {
  return measure === 'relative' ? Math.abs(q / f - 1) : Math.abs(q - f);
}

const GRID_POINTS = 2000;

const UNIT_GRID = Array.from({ length: GRID_POINTS + 1 }, (_, i) => -Math.cos((Math.PI * i) / GRID_POINTS));

/** Points on which errors are measured, both ends included, denser towards them as the extrema of best approximations are. */
export function errorGrid(interval: Interval): number[] {
  return UNIT_GRID.map((u) => fromUnit(interval, u));
}

/** A closed interval `[lower, upper]` with `lower < upper`. */
export type Interval = readonly [lower: number, upper: number];

/** The map `slope * x + offset`. */
export interface AffineMap {
  readonly slope: number;
  readonly offset: number;
}

/** `u = slope * x + offset` maps `interval` onto [-1, 1]. */
export function toUnit([lower, upper]: Interval): AffineMap {
  return { slope: 2 / (upper - lower), offset: -(upper + lower) / (upper - lower) };
}

/** The point of `interval` that {@link toUnit} maps to `u`. */
export function fromUnit([lower, upper]: Interval, u: number): number {
  return (lower + upper) / 2 + (u * (upper - lower)) / 2;
}

/** `sum_k coefficients[k] T_k(u)` by Clenshaw's recurrence, the reference that the depth-optimal evaluation is tested against. */
export function clenshaw(coefficients: readonly number[], u: number): number {
  let next = 0;
  let afterNext = 0;
  for (let k = coefficients.length - 1; k >= 1; k--) {
    const current = (coefficients[k] ?? 0) + 2 * u * next - afterNext;
    afterNext = next;
    next = current;
  }
  return (coefficients[0] ?? 0) + u * next - afterNext;
}

/**
 * Coefficients of the polynomial of the given degree that interpolates `f` at the Chebyshev points of `interval` (first kind). Within a
 * factor of about `2 + (2/pi) log(degree + 1)` of the best absolute error (Trefethen, Approximation Theory and Practice, Theorem 15.2).
 */
export function chebyshevInterpolant(f: (x: number) => number, interval: Interval, degree: number): number[] {
  const n = degree + 1;
  const angles = Array.from({ length: n }, (_, i) => (Math.PI * (i + 0.5)) / n);
  const values = angles.map((angle) => f(fromUnit(interval, Math.cos(angle))));
  return Array.from({ length: n }, (_, k) => {
    const sum = values.reduce((total, value, i) => total + value * Math.cos(k * (angles[i] ?? 0)), 0);
    return ((k === 0 ? 1 : 2) * sum) / n;
  });
}

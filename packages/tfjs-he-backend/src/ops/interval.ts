/** Finite low < high. */
export type Interval = readonly [number, number];

/** u = factor x + shift, which maps the interval to [-1, 1]. */
export function unitMap([low, high]: Interval): { readonly factor: number; readonly shift: number } {
  return { factor: 2 / (high - low), shift: -(low + high) / (high - low) };
}

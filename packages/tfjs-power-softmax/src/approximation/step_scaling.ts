/** How an iteration's normalised residual, 1 at the solution, is scaled before each step. */
export interface StepScaling {
  readonly scales: readonly number[];
  /** Factor that centres the result's relative error around 0; 1 where it is left one-sided. */
  readonly centring: number;
}

/**
 * Scales for `d <- d (2 - d)` with `d` in `[ratio, 1]`: `2 / (1 + ratio)` makes the two ends meet and the next ratio largest.
 * Without `adaptive` only the first step, the initial guess, is scaled.
 *
 * @param ratio lower over upper end of the interval, in (0, 1)
 */
export function reciprocalScaling(ratio: number, steps: number, adaptive: boolean): StepScaling {
  const scales: number[] = [];
  let lowest = ratio;
  for (let i = 0; i < steps; i++) {
    const scale = adaptive || i === 0 ? 2 / (1 + lowest) : 1;
    scales.push(scale);
    lowest = 1 - (1 - scale * lowest) ** 2;
  }
  return { scales, centring: adaptive ? 2 / (1 + lowest) : 1 };
}

/**
 * Scales for `r <- r (3 - r)^2 / 4` with `r` in `[ratio, 1]`: the two ends meet for `s` with `sqrt(ratio) (3 - s ratio) = 3 - s`, that is
 * `s = 3 / (1 + sqrt(ratio) + ratio)`. Without `adaptive` only the first step is scaled.
 *
 * @param ratio lower over upper end of the interval, in (0, 1)
 */
export function rsqrtScaling(ratio: number, steps: number, adaptive: boolean): StepScaling {
  const scales: number[] = [];
  let lowest = ratio;
  for (let i = 0; i < steps; i++) {
    const scale = adaptive || i === 0 ? 3 / (1 + Math.sqrt(lowest) + lowest) : 1;
    scales.push(scale);
    // Rounding may carry a converged residual past 1.
    lowest = Math.min(1, (scale * lowest * (3 - scale * lowest) ** 2) / 4);
  }
  return { scales, centring: adaptive ? 2 / (1 + Math.sqrt(lowest)) : 1 };
}

import { InvalidArgumentError } from '../errors.js';
import type { RangeLossOptions, RangeTarget } from '../ranges/range_loss.js';
import { isPositiveFunction, type SiteInterval } from '../ranges/site_interval.js';
import { validateNonNegative, validatePositiveInteger } from '../validate.js';
import type { RangeSchedule } from './with_range_loss.js';

export interface TightenRangesOptions extends RangeLossOptions {
  /** First step with a range loss; before it the model trains on its task alone. An integer >= 0. */
  readonly start: number;
  /** Steps over which weight and targets move to their final values. An integer >= 1. */
  readonly steps: number;
  /** Final weight, >= 0. Default 1. */
  readonly weight?: number;
  /**
   * Where the targets start from: intervals seen so far, e.g. `() => monitor.intervals()`, called once, at the first step that needs it. A
   * run resumed after `start` repeats exactly with the array in place of the function. Without it the targets are final from the start.
   */
  readonly from?: readonly SiteInterval[] | (() => readonly SiteInterval[]);
}

/**
 * The schedule "train, then tighten" (range minimisation is a second phase in arXiv 2410.09457): the weight is 0 before `start` and grows
 * linearly to its final value in `steps` steps, while each bound moves from what the model does by itself to its target, geometrically for
 * functions of positive values and linearly for others. A bound that already holds is its target from the start.
 *
 * @returns settings by step, for `withRangeLoss` or a loop of your own: `const { weight, targets } = schedule(step)`; it throws
 *   InvalidArgumentError where `from` has none of the sites that the targets are for
 * @throws InvalidArgumentError for an option out of range
 */
export function tightenRanges(options: TightenRangesOptions): RangeSchedule {
  const { targets, steps, from } = options;
  const start = options.start === 0 ? 0 : validatePositiveInteger('start', options.start);
  const weight = validateNonNegative('weight', options.weight ?? 1);
  validatePositiveInteger('steps', steps);
  let initial: readonly SiteInterval[] | undefined = typeof from === 'function' ? undefined : from;
  return (step) => {
    if (step < start) return { weight: 0, targets };
    const progress = Math.min(1, (step - start + 1) / steps);
    if (progress === 1 || from === undefined) return { weight: weight * progress, targets };
    initial ??= typeof from === 'function' ? [...from()] : from;
    return { weight: weight * progress, targets: { ...targets, ...intermediateTargets(initial, targets, progress) } };
  };
}

function intermediateTargets(
  sites: readonly SiteInterval[],
  targets: RangeLossOptions['targets'],
  progress: number,
): Record<string, RangeTarget> {
  const moved = sites.flatMap((site) => {
    const target = targets[site.name] ?? targets[site.function];
    return target === undefined ? [] : [[site.name, between(site, target, progress)] as const];
  });
  if (moved.length === 0) {
    throw new InvalidArgumentError(
      'The ranges to tighten from have none of the sites of the targets. Record them before the first step of tightening, with a RangeMonitor.',
      { sites: sites.map(({ name }) => name), targets: Object.keys(targets) },
    );
  }
  return Object.fromEntries(moved);
}

function between({ function: fn, interval: [low, high] }: SiteInterval, { lower, upper }: RangeTarget, progress: number): RangeTarget {
  const move = (from: number, to: number): number =>
    isPositiveFunction(fn) && from > 0 ? from * (to / from) ** progress : from + (to - from) * progress;
  return {
    ...(lower === undefined ? {} : { lower: move(Math.min(low, lower), lower) }),
    ...(upper === undefined ? {} : { upper: move(Math.max(high, upper), upper) }),
  };
}

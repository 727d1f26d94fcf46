import type { ApproximatedFunction } from './recorder.js';

/** The values seen at one site. */
export interface SiteInterval {
  readonly name: string;
  readonly function: ApproximatedFunction;
  /** Smallest and largest value seen. */
  readonly interval: readonly [lower: number, upper: number];
  /** `upper / lower`, which decides the degree of the polynomial; absent for functions that are not of positive values. */
  readonly kappa?: number;
}

/** Whether a function takes only positive values, so that the ratio of its interval's ends counts. */
export function isPositiveFunction(name: ApproximatedFunction): boolean {
  return name === 'reciprocal' || name === 'rsqrt';
}

export function siteInterval(name: string, fn: ApproximatedFunction, interval: readonly [number, number]): SiteInterval {
  const kappa = isPositiveFunction(fn) ? { kappa: interval[1] / interval[0] } : {};
  return { name, function: fn, interval, ...kappa };
}

/** The smallest interval that holds both. */
export function union(a: SiteInterval, b: SiteInterval): SiteInterval {
  return siteInterval(a.name, a.function, [Math.min(a.interval[0], b.interval[0]), Math.max(a.interval[1], b.interval[1])]);
}

import { textTable } from '../text_table.js';
import type { SiteInterval } from './site_interval.js';

/** Intervals as a table for people: one line per site. */
export function formatIntervals(intervals: readonly SiteInterval[]): string {
  return textTable([
    ['site', 'function', 'lower', 'upper', 'kappa'],
    ...intervals.map(({ name, function: fn, interval, kappa }) => [
      name,
      fn,
      ...interval.map((end) => end.toPrecision(3)),
      kappa?.toFixed(1) ?? '-',
    ]),
  ]);
}

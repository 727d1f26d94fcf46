import type { Summary } from '../statistics.ts';

/** A table of text; every row has one cell per column. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What stands where there is nothing to show. */
export const NOTHING = '-';

/** A Markdown table with aligned columns, its caption above. */
export function markdownTable({ caption, columns, rows }: Table): string {
  const lines = [columns, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = columns.map((_, i) => Math.max(NARROWEST, ...lines.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [header = [], ...body] = lines;
  return [`${caption}:`, '', line(header), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** A rule of Markdown has three dashes at least. */
const NARROWEST = 3;

/** A number for people: three significant digits, powers of ten for the very large and small. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e4 || size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/** A share in [0, 1] in per cent. */
export function percent(share: number): string {
  return `${figure(100 * share)} %`;
}

/** Mean and standard deviation with as many decimals as the latter needs. */
export function meanAndDeviation(summary: Summary | undefined, decimals = 2): string {
  if (summary === undefined) return NOTHING;
  const { count, mean, deviation } = summary;
  if (Math.abs(mean) >= 1e4) return count > 1 ? `${figure(mean)} ± ${figure(deviation)}` : figure(mean);
  return count > 1 ? `${mean.toFixed(decimals)} ± ${deviation.toFixed(decimals)}` : mean.toFixed(decimals);
}

/** Smallest and largest value of several, e.g. `3` or `3 to 5`. */
export function spread(summary: Summary | undefined): string {
  if (summary === undefined) return NOTHING;
  const [low, high] = [figure(summary.min), figure(summary.max)];
  return low === high ? low : `${low} to ${high}`;
}

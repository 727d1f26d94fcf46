import type { LayersModel } from '@tensorflow/tfjs-layers';
import { PolynomialLayer } from './polynomial_layer.js';
import type { SiteApproximation } from './site_approximation.js';

/** One approximation of a polynomial model. */
export interface SiteReport extends SiteApproximation {
  readonly site: string;
  readonly layer: string;
  /** Ratio of the interval's ends, which decides the degree of `reciprocal` and `rsqrt`; absent for `gelu`. */
  readonly kappa?: number;
}

export interface PolynomialReport {
  readonly sites: readonly SiteReport[];
}

/** What a polynomial model, converted or loaded, records about its approximations, in the order of its layers. */
export function polynomialReport(model: LayersModel): PolynomialReport {
  const layers = model.layers.filter((layer) => layer instanceof PolynomialLayer);
  return {
    sites: layers.map(({ name, site, approximation }) => {
      const [lower, upper] = approximation.interval;
      return { site, layer: name, ...(approximation.function === 'gelu' ? {} : { kappa: upper / lower }), ...approximation };
    }),
  };
}

/** The report as a table for people: one line per site. */
export function formatReport({ sites }: PolynomialReport): string {
  const rows = sites.map((site) => [
    site.site,
    site.function,
    `[${site.interval.map((end) => end.toPrecision(3)).join(', ')}]`,
    site.kappa?.toFixed(1) ?? '-',
    String(site.degree),
    String(site.depth),
    String(site.products),
    `${site.maxError.toExponential(1)} ${site.measure}`,
    site.calibration.maxError.toExponential(1),
    site.calibration.meanError.toExponential(1),
  ]);
  const table = [['site', 'function', 'interval', 'kappa', 'degree', 'depth', 'products', 'max error', 'on data', 'mean'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

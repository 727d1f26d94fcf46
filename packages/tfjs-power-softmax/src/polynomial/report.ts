import type { LayersModel } from '@tensorflow/tfjs-layers';
import { RECIPROCAL_FIRST_DEGREE } from '../approximation/composite_reciprocal.js';
import { FUNCTIONS } from '../approximation/functions.js';
import { textTable } from '../text_table.js';
import { type DivisionReport, PolynomialAttention } from './polynomial_attention.js';
import { PolynomialLayer } from './polynomial_layer.js';
import type { SiteApproximation } from './site_approximation.js';

/** One approximation of a polynomial model. */
export interface SiteReport extends SiteApproximation {
  readonly site: string;
  readonly layer: string;
  /** Ratio of the interval's ends, which decides the degree of `reciprocal` and `rsqrt`; absent for `gelu`. */
  readonly kappa?: number;
  /** Of PowerSoftmax attention: where it divides, and what that costs. */
  readonly division?: DivisionReport;
}

export interface PolynomialReport {
  readonly sites: readonly SiteReport[];
}

/** What a polynomial model, converted or loaded, records about its approximations, in the order of its layers. */
export function polynomialReport(model: LayersModel): PolynomialReport {
  const layers = model.layers.filter((layer) => layer instanceof PolynomialLayer);
  return {
    sites: layers.map((layer) => {
      const { name, site, approximation } = layer;
      const [lower, upper] = approximation.interval;
      return {
        site,
        layer: name,
        ...(FUNCTIONS[approximation.function].positive ? { kappa: upper / lower } : {}),
        ...(layer instanceof PolynomialAttention ? { division: layer.divisionReport() } : {}),
        ...approximation,
      };
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
    site.method,
    degreeOrSteps(site),
    String(site.depth),
    String(site.products),
    `${site.maxError.toExponential(1)} ${site.measure}`,
    site.calibration.maxError.toExponential(1),
    site.calibration.meanError.toExponential(1),
    site.division === undefined ? '-' : `${site.division.place}, ${site.division.costs[site.division.place].depth} levels`,
  ]);
  return textTable([
    ['site', 'function', 'interval', 'kappa', 'method', 'degree', 'depth', 'products', 'max error', 'on data', 'mean', 'division of'],
    ...rows,
  ]);
}

function degreeOrSteps({ method, degree, steps, coefficients }: SiteReport): string {
  if (steps === undefined) return String(degree);
  const first = coefficients.length === 0 ? RECIPROCAL_FIRST_DEGREE : coefficients.length - 1;
  return method === 'composite' ? `${first}, ${steps} steps` : `${steps} steps`;
}

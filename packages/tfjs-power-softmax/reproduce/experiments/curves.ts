import type { Line } from '../report/plot.ts';
import { summarise } from '../statistics.ts';
import type { CurvePoint } from '../training.ts';

/** Validation losses by step: the mean of the seeds, with their range. A seed that diverged is left out from there on. */
export function curveLines(
  variants: readonly { readonly name: string; readonly curves: readonly (readonly CurvePoint[] | undefined)[] }[],
): Line[] {
  return variants.map(({ name, curves }) => {
    const steps = [...new Set(curves.flatMap((curve) => (curve ?? []).map(({ step }) => step)))].sort((a, b) => a - b);
    const points = steps.flatMap((step) => {
      const losses = curves.map((curve) => curve?.find((point) => point.step === step)?.validationLoss);
      const summary = summarise(losses);
      return summary === undefined ? [] : [{ x: step, y: summary.mean, low: summary.min, high: summary.max }];
    });
    return { name, points };
  });
}

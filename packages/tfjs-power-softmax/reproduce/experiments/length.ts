import { DENOMINATOR_FORMS, type DenominatorForm, type LengthResult } from '../measurements/lengths.ts';
import { type Plan, power, SOFTMAX, seedsOf, training, type Variant } from '../plan.ts';
import { linePlot } from '../report/plot.ts';
import { figure, meanAndDeviation, percent, spread, type Table } from '../report/table.ts';
import { summarise } from '../statistics.ts';
import type { MeasureTask } from '../tasks.ts';
import { perplexity } from './attention.ts';
import type { Experiment, Results } from './experiment.ts';

const POWERS = [2, 4, 8] as const;
const MARGIN = 1.3;
const BITS = 8;

/** The denominators of models at lengths that they were not trained on. */
export const length: Experiment = {
  id: 'length',
  title: 'Length',
  tasks: (plan, seed) => [SOFTMAX, ...POWERS.map(power)].map((variant) => taskOf(plan, variant, seed)),
  section: (plan, results) => ({
    setting: `Models of the first experiment, trained on ${plan.budget.model.tokens} characters, on ${plan.budget.lengthWindows} windows of validation text of ${plan.budget.lengthMultiples.map((multiple) => multiple * plan.budget.model.tokens).join(', ')} characters (each the start of the longest). The denominator of a row that sees n characters is mean(s^p) + epsilon in the mean form and n times that in the sum form. kappa is the ratio of the largest and the smallest one seen in any layer; steps are those of plain Goldschmidt for ${BITS} bits on that interval. "Beyond" is the share of denominators above ${MARGIN} times the largest seen in their layer at the length in training.`,
    tables: [denominatorTable(plan, results), perplexityTable(plan, results)],
    plots: [kappaPlot(plan, results)],
  }),
};

function taskOf(plan: Plan, variant: Variant, seed: number): MeasureTask<'lengths'> {
  return {
    kind: 'lengths',
    text: plan.text,
    train: training(plan, variant, seed),
    config: { multiples: plan.budget.lengthMultiples, windows: plan.budget.lengthWindows, margin: MARGIN },
  };
}

function runsOf(plan: Plan, results: Results, variant: Variant): LengthResult[] {
  return seedsOf(plan).flatMap((seed) => results(taskOf(plan, variant, seed)) ?? []);
}

function tokensOf({ budget }: Plan): number[] {
  return budget.lengthMultiples.map((multiple) => multiple * budget.model.tokens);
}

function rangesOf(runs: readonly LengthResult[], form: DenominatorForm, tokens: number) {
  return runs.flatMap(({ lengths }) =>
    lengths.flatMap((measured) => (measured.tokens === tokens ? measured.ranges.filter((range) => range.form === form) : [])),
  );
}

function denominatorTable(plan: Plan, results: Results): Table {
  const rows = POWERS.map(power).flatMap((variant) =>
    DENOMINATOR_FORMS.flatMap((form) =>
      tokensOf(plan).map((tokens) => {
        const runs = runsOf(plan, results, variant);
        const ranges = rangesOf(runs, form, tokens);
        const beyond = summarise(ranges.map((range) => range.beyond));
        return [
          variant.name,
          form,
          String(tokens),
          String(runs.length),
          spread(summarise(ranges.map(({ min }) => min))),
          spread(summarise(ranges.map(({ max }) => max))),
          spread(summarise(ranges.map(({ min, max }) => max / min))),
          spread(summarise(ranges.map(({ min, max }) => goldschmidtSteps(max / min, BITS)))),
          beyond === undefined ? '-' : percent(beyond.mean),
        ];
      }),
    ),
  );
  return {
    caption: 'Denominators at several lengths (smallest to largest over the seeds; beyond: mean)',
    columns: ['attention', 'form', 'characters', 'seeds', 'least', 'largest', 'kappa', 'Goldschmidt steps', 'beyond'],
    rows,
  };
}

/** Least number of plain Goldschmidt steps for `1/x` on a ratio of `kappa`: `((kappa - 1) / (kappa + 1))^(2^steps) <= 2^-bits`. */
export function goldschmidtSteps(kappa: number, bits: number): number {
  return Math.max(1, Math.ceil(Math.log2((-bits * Math.LN2) / Math.log1p(-2 / (kappa + 1)))));
}

function perplexityTable(plan: Plan, results: Results): Table {
  const rows = [SOFTMAX, ...POWERS.map(power)].map((variant) => {
    const runs = runsOf(plan, results, variant);
    return [
      variant.name,
      String(runs.length),
      ...tokensOf(plan).map((tokens) =>
        meanAndDeviation(
          summarise(runs.map(({ lengths }) => perplexity(lengths.find((measured) => measured.tokens === tokens)?.loss ?? null))),
        ),
      ),
    ];
  });
  return {
    caption: 'Perplexity at several lengths',
    columns: ['attention', 'seeds', ...tokensOf(plan).map((tokens) => `${figure(tokens)} characters`)],
    rows,
  };
}

function kappaPlot(plan: Plan, results: Results) {
  return linePlot({
    name: 'length-kappa',
    title: 'Largest over smallest denominator by length (mean, and range over the seeds)',
    x: { name: 'characters', log: 2, min: plan.budget.model.tokens },
    y: { name: 'kappa', log: 10 },
    lines: POWERS.map(power).flatMap((variant) =>
      DENOMINATOR_FORMS.map((form) => ({
        name: `p = ${variant.p}, ${form} form`,
        dashed: form === 'sum',
        points: tokensOf(plan).flatMap((tokens) => {
          const kappa = summarise(rangesOf(runsOf(plan, results, variant), form, tokens).map(({ min, max }) => max / min));
          return kappa === undefined ? [] : [{ x: tokens, y: kappa.mean, low: kappa.min, high: kappa.max }];
        }),
      })),
    ),
  });
}

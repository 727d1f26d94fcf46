import type { DenominatorResult } from '../measurements/denominators.ts';
import { type Changes, type Plan, power, RANGE_LOSS, rangeLoss, seedsOf, training, type Variant } from '../plan.ts';
import { linePlot } from '../report/plot.ts';
import { figure, meanAndDeviation, spread, type Table } from '../report/table.ts';
import { summarise } from '../statistics.ts';
import { type MeasureTask, trainTask } from '../tasks.ts';
import { POLYNOMIAL_COLUMNS, perplexity, polynomialCells, polynomialTask } from './attention.ts';
import type { Experiment, Results } from './experiment.ts';

const VARIANT: Variant = power(4);
const STEPS = [4, 6, 8, 10, 12, 16] as const;
const MARGIN = 1.3;

/** Upper ends of the denominators that the range loss aims for, in epsilons. */
const TARGET_KAPPAS = [100, 10] as const;

/** What epsilon buys a fixed number of Goldschmidt steps, and what the range loss does to kappa. */
export const epsilon: Experiment = {
  id: 'epsilon',
  title: 'Epsilon and the range loss',
  tasks: (plan, seed) => [
    ...changesOf(plan).flatMap(({ changes }) => [
      trainTask(plan.text, training(plan, VARIANT, seed, changes)),
      denominatorTask(plan, changes, seed),
      polynomialTask(plan, VARIANT, seed, changes),
    ]),
  ],
  section: (plan, results) => ({
    setting: `PowerSoftmax with p = 4 as in the first experiment, trained with each epsilon; then, at epsilon = ${plan.budget.epsilon}, with the range loss from the first step (weight ${RANGE_LOSS.weight}; targets: denominators up to ${TARGET_KAPPAS.join(' or ')} epsilons, variances up to ${RANGE_LOSS.rsqrtUpper}, GELU inputs in ±${RANGE_LOSS.geluBound}). Denominators are those of ${plan.budget.windows} windows of training text. Plain Goldschmidt division runs a fixed number of steps on [epsilon, epsilon + ${MARGIN} (largest denominator - epsilon)] of each layer; errors are relative. kappa is the largest denominator over epsilon.`,
    tables: [errorTable(plan, results), rangeTable(plan, results), polynomialTable(plan, results)],
    plots: [errorPlot(plan, results, 'worst'), errorPlot(plan, results, 'mean')],
  }),
};

interface Named {
  readonly name: string;
  readonly changes: Changes;
}

function epsilonChanges({ budget }: Plan): Named[] {
  return budget.epsilons.map((value) => ({ name: `epsilon = ${value}`, changes: { epsilon: value } }));
}

function rangeChanges(plan: Plan): Named[] {
  return TARGET_KAPPAS.map((kappa) => ({ name: `range loss, kappa up to ${kappa}`, changes: rangeLoss(plan, kappa) }));
}

function changesOf(plan: Plan): Named[] {
  return [...epsilonChanges(plan), ...rangeChanges(plan)];
}

function denominatorTask(plan: Plan, changes: Changes, seed: number): MeasureTask<'denominators'> {
  return {
    kind: 'denominators',
    text: plan.text,
    train: training(plan, VARIANT, seed, changes),
    config: { windows: plan.budget.windows, steps: STEPS, margin: MARGIN },
  };
}

function denominatorsOf(plan: Plan, results: Results, changes: Changes): DenominatorResult[] {
  return seedsOf(plan).flatMap((seed) => results(denominatorTask(plan, changes, seed)) ?? []);
}

/** The errors of all layers and seeds after some steps. */
function errorsOf(runs: readonly DenominatorResult[], steps: number, measure: 'worst' | 'mean') {
  return summarise(
    runs.flatMap(({ layers }) => layers.flatMap((errors) => errors.find((error) => error.steps === steps)?.[measure] ?? [])),
  );
}

function errorTable(plan: Plan, results: Results): Table {
  const rows = changesOf(plan).map(({ name, changes }) => {
    const runs = denominatorsOf(plan, results, changes);
    return [name, String(runs.length), spread(kappas(runs)), ...STEPS.map((steps) => figure(errorsOf(runs, steps, 'worst')?.mean))];
  });
  return {
    caption: 'Largest relative error of 1/x on the interval, mean over layers and seeds',
    columns: ['', 'seeds', 'kappa', ...STEPS.map((steps) => `${steps} steps`)],
    rows,
  };
}

function kappas(runs: readonly DenominatorResult[]) {
  return summarise(runs.flatMap(({ ranges }) => ranges.flatMap((site) => (site.function === 'reciprocal' ? [site.kappa] : []))));
}

function rangeTable(plan: Plan, results: Results): Table {
  const rows = changesOf(plan).map(({ name, changes }) => {
    const trained = seedsOf(plan).flatMap((seed) => results(trainTask(plan.text, training(plan, VARIANT, seed, changes))) ?? []);
    const runs = denominatorsOf(plan, results, changes);
    const sites = runs.flatMap(({ ranges }) => ranges);
    const largest = (fn: string) => spread(summarise(sites.filter((site) => site.function === fn).map(({ max }) => max)));
    const lowest = summarise(sites.filter((site) => site.function === 'gelu').map(({ min }) => min));
    return [
      name,
      String(trained.length),
      meanAndDeviation(summarise(trained.map(({ validationLoss }) => perplexity(validationLoss)))),
      spread(kappas(runs)),
      largest('reciprocal'),
      largest('rsqrt'),
      `${figure(lowest?.min)} and ${largest('gelu')}`,
    ];
  });
  return {
    caption: 'Ranges and what they cost (smallest to largest over layers and seeds)',
    columns: [
      '',
      'seeds',
      'perplexity',
      'kappa of denominators',
      'largest denominator',
      'largest variance',
      'GELU inputs, least and largest',
    ],
    rows,
  };
}

function polynomialTable(plan: Plan, results: Results): Table {
  const rows = changesOf(plan).map(({ name, changes }) => [
    name,
    ...polynomialCells(seedsOf(plan).flatMap((seed) => results(polynomialTask(plan, VARIANT, seed, changes)) ?? [])),
  ]);
  return { caption: 'Polynomial forms', columns: ['', ...POLYNOMIAL_COLUMNS], rows };
}

function errorPlot(plan: Plan, results: Results, measure: 'worst' | 'mean') {
  const lines = STEPS.map((steps) => ({
    name: `${steps} steps`,
    points: epsilonChanges(plan).flatMap(({ changes }) => {
      const summary = errorsOf(denominatorsOf(plan, results, changes), steps, measure);
      if (summary === undefined || changes.epsilon === undefined) return [];
      const [y, low, high] = [summary.mean, summary.min, summary.max].map((error) => Math.max(error, SMALLEST_ERROR));
      return y === undefined || low === undefined || high === undefined ? [] : [{ x: changes.epsilon, y, low, high }];
    }),
  }));
  return linePlot({
    name: `epsilon-error-${measure}`,
    title:
      measure === 'worst'
        ? 'Largest error of 1/x on the interval after plain Goldschmidt steps'
        : 'Mean error of 1/x over the denominators seen after plain Goldschmidt steps',
    x: { name: 'epsilon', log: 10 },
    y: { name: 'relative error', log: 10, min: SMALLEST_ERROR, max: 1 },
    lines,
  });
}

/** Where the logarithmic axis ends; smaller errors are drawn there. */
const SMALLEST_ERROR = 1e-6;

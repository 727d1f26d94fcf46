import type { PolynomialResult } from '../measurements/polynomial_form.ts';
import { type Changes, type Plan, power, rangeLoss, SIGMA, SOFTMAX, seedsOf, training, type Variant } from '../plan.ts';
import { linePlot } from '../report/plot.ts';
import { figure, meanAndDeviation, NOTHING, percent, spread, type Table } from '../report/table.ts';
import { summarise } from '../statistics.ts';
import { type MeasureTask, trainTask } from '../tasks.ts';
import type { CurvePoint } from '../training.ts';
import { curveLines } from './curves.ts';
import type { Experiment, Results } from './experiment.ts';

/** Largest denominator, in epsilons, that the range loss aims for where a polynomial form is made of every power. */
const KAPPA = 100;

/** Softmax, sigma and powers of PowerSoftmax with equal budgets, and the polynomial form of each but softmax. */
export const attention: Experiment = {
  id: 'attention',
  title: 'Attention at equal budget',
  tasks: (plan, seed) => [
    ...variantsOf(plan).map((variant) => trainTask(plan.text, training(plan, variant, seed))),
    ...[SIGMA, ...powersOf(plan)].map((variant) => polynomialTask(plan, variant, seed)),
    ...rangeVariantsOf(plan).map((variant) => trainTask(plan.text, training(plan, variant, seed, rangeLoss(plan, KAPPA)))),
    ...rangeVariantsOf(plan).map((variant) => polynomialTask(plan, variant, seed, rangeLoss(plan, KAPPA))),
    ...stabilityRows(plan).map(({ variant, changes }) => trainTask(plan.text, training(plan, variant, seed, changes))),
  ],
  section: (plan, results) => {
    const { model, training: t, epsilon, polynomial } = plan.budget;
    return {
      setting: `Pre-norm transformers of ${model.layers} layers, d = ${model.features}, ${model.heads} heads, ${model.hidden} hidden units (GELU), rotary positions, windows of ${model.tokens} characters. All variants have the same data, ${t.steps} steps of ${t.batch} windows (${t.steps * t.batch * model.tokens} characters), Adam with the same learning rate (${t.learningRate}, ${t.warmUp} steps of warm-up, cosine down to a tenth), no clipping, no dropout; seeds change initial weights and the order of data. PowerSoftmax has epsilon = ${epsilon}. Perplexity is per character, on ${t.finalWindows} windows of validation text. Polynomial forms: \`toPolynomial\` with ${polynomial.bits} bits and margin ${polynomial.margin}, calibrated on ${polynomial.calibrationWindows} windows of training text, run on ${polynomial.validationWindows} windows of validation text; once of these models and once of models trained with the range loss of the third experiment. "Not convertible" counts seeds where no polynomial reaches the accuracy on some interval, "overflowed" those whose polynomial form gave a result that is not finite; means are over the others.`,
      tables: [
        perplexityTable(plan, results),
        stabilityTable(plan, results),
        polynomialTable(plan, results, 'without range loss', [SIGMA, ...powersOf(plan)], {}),
        polynomialTable(plan, results, `trained with the range loss, kappa up to ${KAPPA}`, rangeVariantsOf(plan), rangeLoss(plan, KAPPA)),
      ],
      plots: [
        linePlot({
          name: 'attention-loss',
          title: 'Validation loss (mean, and range over the seeds)',
          x: { name: 'step' },
          y: { name: 'nats per character', max: 3 },
          lines: curveLines(
            variantsOf(plan).map(({ name, ...variant }) => ({
              name,
              curves: seedsOf(plan).map((seed) => results(trainTask(plan.text, training(plan, { name, ...variant }, seed)))?.curve),
            })),
          ),
        }),
      ],
    };
  },
};

function variantsOf(plan: Plan): Variant[] {
  return [SOFTMAX, SIGMA, ...powersOf(plan)];
}

function powersOf({ budget }: Plan): Variant[] {
  return budget.powers.map(power);
}

/** Those that are trained with the range loss too. */
function rangeVariantsOf({ budget }: Plan): Variant[] {
  return [SIGMA, ...budget.rangePowers.map(power)];
}

/** The polynomial form of a variant; also what others compare with. */
export function polynomialTask(plan: Plan, variant: Variant, seed: number, changes?: Changes): MeasureTask<'polynomial'> {
  return { kind: 'polynomial', text: plan.text, train: training(plan, variant, seed, changes), config: plan.budget.polynomial };
}

const TRAINING_COLUMNS = ['seeds', 'validation loss', 'perplexity', 'largest gradient norm', 'points where the loss rose', 'diverged'];

/** Cells of {@link TRAINING_COLUMNS}. */
function trainingCells(plan: Plan, results: Results, variant: Variant, changes: Changes): string[] {
  const runs = seedsOf(plan).flatMap((seed) => results(trainTask(plan.text, training(plan, variant, seed, changes))) ?? []);
  const norms = summarise(runs.flatMap(({ curve }) => curve.map(({ gradientNorm }) => gradientNorm)));
  return [
    String(runs.length),
    meanAndDeviation(summarise(runs.map(({ validationLoss }) => validationLoss)), 3),
    meanAndDeviation(summarise(runs.map(({ validationLoss }) => perplexity(validationLoss)))),
    figure(norms?.max),
    spread(summarise(runs.map(({ curve }) => rises(curve)))),
    String(runs.filter(({ divergedAt }) => divergedAt !== null).length),
  ];
}

/** Number of points of a curve where the validation loss is higher than at the one before. */
function rises(curve: readonly CurvePoint[]): number {
  const losses = curve.map(({ validationLoss }) => validationLoss ?? Number.POSITIVE_INFINITY);
  return losses.filter((loss, i) => i > 0 && loss > (losses[i - 1] ?? 0)).length;
}

function perplexityTable(plan: Plan, results: Results): Table {
  return {
    caption: 'After training (mean ± standard deviation over the seeds)',
    columns: ['attention', ...TRAINING_COLUMNS],
    rows: variantsOf(plan).map((variant) => [variant.name, ...trainingCells(plan, results, variant, {})]),
  };
}

function stabilityRows({ budget }: Plan): { readonly variant: Variant; readonly changes: Changes }[] {
  const { learningRates, powers } = budget.stability;
  return [SOFTMAX, ...powers.map(power)].flatMap((variant) =>
    learningRates.map((learningRate) => ({ variant, changes: { learningRate } })),
  );
}

function stabilityTable(plan: Plan, results: Results): Table {
  return {
    caption: 'The same with larger learning rates',
    columns: ['attention', 'learning rate', ...TRAINING_COLUMNS],
    rows: stabilityRows(plan).map(({ variant, changes }) => [
      variant.name,
      String(changes.learningRate),
      ...trainingCells(plan, results, variant, changes),
    ]),
  };
}

function polynomialTable(plan: Plan, results: Results, name: string, variants: readonly Variant[], changes: Changes): Table {
  const rows = variants.map((variant) => {
    const runs = seedsOf(plan).flatMap((seed) => results(polynomialTask(plan, variant, seed, changes)) ?? []);
    return [variant.name, ...polynomialCells(runs)];
  });
  return { caption: `Polynomial forms, ${name}`, columns: ['attention', ...POLYNOMIAL_COLUMNS], rows };
}

export const POLYNOMIAL_COLUMNS = [
  'seeds',
  'perplexity before',
  'perplexity of the polynomial',
  'kappa of 1/x',
  'levels of 1/x',
  'degree of 1/x',
  'levels of all sites',
  'inputs outside intervals',
];

/** Cells of {@link POLYNOMIAL_COLUMNS} for the runs of one row. */
export function polynomialCells(runs: readonly PolynomialResult[]): string[] {
  const sites = runs.flatMap((run) => run.sites);
  const reciprocals = sites.filter((site) => site.function === 'reciprocal');
  const outside = sites.reduce((sum, site) => sum + site.outside, 0);
  const count = sites.reduce((sum, site) => sum + site.count, 0);
  const refused = runs.filter(({ error }) => error !== null).length;
  const perplexities = runs.map(({ polynomialLoss }) => perplexity(polynomialLoss));
  const lost = runs.filter(({ error, polynomialLoss }) => error === null && polynomialLoss === null).length;
  return [
    String(runs.length),
    meanAndDeviation(summarise(runs.map(({ originalLoss }) => perplexity(originalLoss)))),
    [
      meanAndDeviation(summarise(perplexities)),
      ...(refused > 0 ? [`(${refused} not convertible)`] : []),
      ...(lost > 0 ? [`(${lost} overflowed)`] : []),
    ].join(' '),
    spread(summarise(reciprocals.map(({ interval: [lower, upper] }) => upper / lower))),
    spread(summarise(reciprocals.map(({ depth }) => depth))),
    spread(summarise(reciprocals.map(({ degree }) => degree))),
    spread(summarise(runs.flatMap((run) => (run.error === null ? [run.sites.reduce((sum, { depth }) => sum + depth, 0)] : [])))),
    count === 0 ? NOTHING : percent(outside / count),
  ];
}

export function perplexity(loss: number | null | undefined): number | null {
  return loss === null || loss === undefined ? null : Math.exp(loss);
}

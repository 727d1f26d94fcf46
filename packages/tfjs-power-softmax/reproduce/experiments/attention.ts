import type { PolynomialResult } from '../measurements/polynomial_form.ts';
import { type Changes, type Plan, power, rangeLoss, SIGMA, SOFTMAX, seedsOf, training, type Variant } from '../plan.ts';
import { linePlot } from '../report/plot.ts';
import { figure, meanAndDeviation, NOTHING, percent, spread, type Table } from '../report/table.ts';
import { summarise } from '../statistics.ts';
import { type MeasureTask, trainTask } from '../tasks.ts';
import { curveLines } from './curves.ts';
import type { Experiment, Results } from './experiment.ts';

/** Largest denominator, in epsilons, that the range loss aims for where a polynomial form is made of every power. */
const KAPPA = 100;

/** Softmax, sigma and powers of PowerSoftmax with equal budgets, and the polynomial form of each power. */
export const attention: Experiment = {
  id: 'attention',
  title: 'Attention at equal budget',
  tasks: (plan, seed) => [
    ...variantsOf(plan).map((variant) => trainTask(plan.text, training(plan, variant, seed))),
    ...powersOf(plan).map((variant) => polynomialTask(plan, variant, seed)),
    ...rangePowersOf(plan).map((variant) => trainTask(plan.text, training(plan, variant, seed, rangeLoss(plan, KAPPA)))),
    ...rangePowersOf(plan).map((variant) => polynomialTask(plan, variant, seed, rangeLoss(plan, KAPPA))),
  ],
  section: (plan, results) => {
    const { model, training: t, epsilon, polynomial } = plan.budget;
    return {
      setting: `Pre-norm transformers of ${model.layers} layers, d = ${model.features}, ${model.heads} heads, ${model.hidden} hidden units (GELU), rotary positions, windows of ${model.tokens} characters. All variants have the same data, ${t.steps} steps of ${t.batch} windows (${t.steps * t.batch * model.tokens} characters), Adam with the same learning rate (${t.learningRate}, ${t.warmUp} steps of warm-up, cosine down to a tenth), no clipping, no dropout; seeds change initial weights and the order of data. PowerSoftmax has epsilon = ${epsilon}. Perplexity is per character, on ${t.finalWindows} windows of validation text. Polynomial forms: \`toPolynomial\` with ${polynomial.bits} bits and margin ${polynomial.margin}, calibrated on ${polynomial.calibrationWindows} windows of training text, run on ${polynomial.validationWindows} windows of validation text; once of these models and once of models trained with the range loss of the third experiment.`,
      tables: [
        perplexityTable(plan, results),
        polynomialTable(plan, results, 'without range loss', powersOf(plan), {}),
        polynomialTable(plan, results, `trained with the range loss, kappa up to ${KAPPA}`, rangePowersOf(plan), rangeLoss(plan, KAPPA)),
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

function rangePowersOf({ budget }: Plan): Variant[] {
  return budget.rangePowers.map(power);
}

/** The polynomial form of a variant; also what others compare with. */
export function polynomialTask(plan: Plan, variant: Variant, seed: number, changes?: Changes): MeasureTask<'polynomial'> {
  return { kind: 'polynomial', text: plan.text, train: training(plan, variant, seed, changes), config: plan.budget.polynomial };
}

function perplexityTable(plan: Plan, results: Results): Table {
  const rows = variantsOf(plan).map((variant) => {
    const runs = seedsOf(plan).flatMap((seed) => results(trainTask(plan.text, training(plan, variant, seed))) ?? []);
    const norms = summarise(runs.flatMap(({ curve }) => curve.map(({ gradientNorm }) => gradientNorm)));
    const rises = runs.map(
      ({ curve }) =>
        curve.filter(({ validationLoss }, i) => (validationLoss ?? Infinity) > (curve[i - 1]?.validationLoss ?? Infinity)).length,
    );
    return [
      variant.name,
      String(runs.length),
      meanAndDeviation(summarise(runs.map(({ validationLoss }) => validationLoss)), 3),
      meanAndDeviation(summarise(runs.map(({ validationLoss }) => perplexity(validationLoss)))),
      figure(norms?.max),
      spread(summarise(rises)),
      String(runs.filter(({ divergedAt }) => divergedAt !== null).length),
    ];
  });
  return {
    caption: 'After training (mean ± standard deviation over the seeds)',
    columns: ['attention', 'seeds', 'validation loss', 'perplexity', 'largest gradient norm', 'points where the loss rose', 'diverged'],
    rows,
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
  'denominators outside',
];

/** Cells of {@link POLYNOMIAL_COLUMNS} for the runs of one row. */
export function polynomialCells(runs: readonly PolynomialResult[]): string[] {
  const sites = runs.flatMap((run) => run.sites);
  const reciprocals = sites.filter((site) => site.function === 'reciprocal');
  const outside = reciprocals.reduce((sum, site) => sum + site.outside, 0);
  const count = reciprocals.reduce((sum, site) => sum + site.count, 0);
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

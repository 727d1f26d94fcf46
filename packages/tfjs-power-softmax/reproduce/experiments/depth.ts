import { type Plan, power, SIGMA, SOFTMAX, seedsOf, training, UNSCALED_SIGMA, type Variant } from '../plan.ts';
import { linePlot } from '../report/plot.ts';
import { figure, meanAndDeviation, type Table } from '../report/table.ts';
import { summarise } from '../statistics.ts';
import { type TrainTask, trainTask } from '../tasks.ts';
import type { TrainResult } from '../training.ts';
import { curveLines } from './curves.ts';
import type { Experiment, Results } from './experiment.ts';

const VARIANTS: readonly Variant[] = [SOFTMAX, SIGMA, UNSCALED_SIGMA, power(4)];

/** Which kinds of attention still train in deeper models. */
export const depth: Experiment = {
  id: 'depth',
  title: 'Depth',
  tasks: (plan, seed) => plan.budget.depths.flatMap((layers) => VARIANTS.map((variant) => taskOf(plan, variant, layers, seed))),
  section: (plan, results) => ({
    setting: `As above with ${plan.budget.depths.join(' and ')} layers and ${plan.budget.depthTraining.steps} steps. "Stuck" counts seeds that diverged or ended above the first-character baseline: the cross-entropy of single-character counts. "No context" counts those that did not beat counts of character pairs, which takes no attention.`,
    tables: [depthTable(plan, results)],
    plots: plan.budget.depths.map((layers) =>
      linePlot({
        name: `depth-${layers}-loss`,
        title: `Validation loss with ${layers} layers (mean, and range over the seeds)`,
        x: { name: 'step' },
        y: { name: 'nats per character', max: 3.5 },
        lines: curveLines(
          VARIANTS.map((variant) => ({
            name: variant.name,
            curves: seedsOf(plan).map((seed) => results(taskOf(plan, variant, layers, seed))?.curve),
          })),
        ),
      }),
    ),
  }),
};

function taskOf(plan: Plan, variant: Variant, layers: number, seed: number): TrainTask {
  return trainTask(plan.text, training(plan, variant, seed, { layers, ...plan.budget.depthTraining }));
}

function depthTable(plan: Plan, results: Results): Table {
  const rows = plan.budget.depths.flatMap((layers) =>
    VARIANTS.map((variant) => {
      const runs = seedsOf(plan).flatMap((seed) => results(taskOf(plan, variant, layers, seed)) ?? []);
      const norms = summarise(runs.flatMap(({ curve }) => curve.map(({ gradientNorm }) => gradientNorm)));
      return [
        String(layers),
        variant.name,
        String(runs.length),
        meanAndDeviation(summarise(runs.map(({ validationLoss }) => validationLoss)), 3),
        String(runs.filter(({ divergedAt }) => divergedAt !== null).length),
        share(runs, plan.baselines.unigram),
        share(runs, plan.baselines.bigram),
        figure(norms?.mean),
        figure(norms?.max),
      ];
    }),
  );
  return {
    caption: 'Training at depth',
    columns: ['layers', 'attention', 'seeds', 'validation loss', 'diverged', 'stuck', 'no context', 'mean gradient norm', 'largest'],
    rows,
  };
}

/** How many runs did not get below a loss. */
function share(runs: readonly TrainResult[], baseline: number): string {
  return `${runs.filter(({ validationLoss }) => validationLoss === null || validationLoss >= baseline).length} of ${runs.length}`;
}

import { type LayerLocality, localityOf } from '../measurements/locality.ts';
import { type Plan, power, SOFTMAX, seedsOf, training, type Variant } from '../plan.ts';
import { heatMapPlot, linePlot } from '../report/plot.ts';
import { meanAndDeviation, type Table } from '../report/table.ts';
import { summarise } from '../statistics.ts';
import type { MeasureTask } from '../tasks.ts';
import type { Experiment, Results } from './experiment.ts';

const WITHIN = 8;
const MAP_SIZE = 32;
/** Weights above this are drawn in the darkest colour: a cell of the map is a mean over four weights. */
const DARKEST = 0.25;

/** How far attention looks, by power. */
export const locality: Experiment = {
  id: 'locality',
  title: 'Locality',
  tasks: (plan, seed) => variantsOf(plan).map((variant) => taskOf(plan, variant, seed)),
  section: (plan, results) => ({
    setting: `Attention weights of the models of the first experiment on ${plan.budget.windows} windows of validation text, averaged over windows and heads. Distance is that to the characters attended to, in characters; mass is the weight of the last ${WITHIN} characters, the own one included. Uniform attention is for comparison.`,
    tables: [localityTable(plan, results)],
    plots: [distancePlot(plan, results), mapPlot(plan, results)],
  }),
};

function variantsOf({ budget }: Plan): Variant[] {
  return [SOFTMAX, ...budget.powers.map(power)];
}

function taskOf(plan: Plan, variant: Variant, seed: number): MeasureTask<'locality'> {
  return {
    kind: 'locality',
    text: plan.text,
    train: training(plan, variant, seed),
    config: { windows: plan.budget.windows, within: WITHIN, mapSize: MAP_SIZE },
  };
}

/** What each seed measured in one layer. */
function layerOf(plan: Plan, results: Results, variant: Variant, layer: number): LayerLocality[] {
  return seedsOf(plan).flatMap((seed) => results(taskOf(plan, variant, seed))?.layers[layer] ?? []);
}

function layersOf({ budget }: Plan): number[] {
  return Array.from({ length: budget.model.layers }, (_, i) => i);
}

function localityTable(plan: Plan, results: Results): Table {
  const { tokens } = plan.budget.model;
  const uniform = localityOf(new Float64Array(tokens * tokens).fill(1), tokens, WITHIN);
  const cells = layersOf(plan).flatMap(() => [uniform.distance.toFixed(2), uniform.mass.toFixed(3)]);
  const rows = variantsOf(plan).map((variant) => {
    const layers = layersOf(plan).map((layer) => layerOf(plan, results, variant, layer));
    return [
      variant.name,
      String(layers[0]?.length ?? 0),
      ...layers.flatMap((runs) => [
        meanAndDeviation(summarise(runs.map(({ distance }) => distance))),
        meanAndDeviation(summarise(runs.map(({ mass }) => mass)), 3),
      ]),
    ];
  });
  return {
    caption: `Mean distance, and mass of the last ${WITHIN} characters, by layer (from 0)`,
    columns: ['attention', 'seeds', ...layersOf(plan).flatMap((layer) => [`distance, layer ${layer}`, `mass, layer ${layer}`])],
    rows: [...rows, ['uniform', NO_SEEDS, ...cells]],
  };
}

const NO_SEEDS = '-';

function distancePlot(plan: Plan, results: Results) {
  return linePlot({
    name: 'locality-distance',
    title: 'Mean distance of attention by power (mean, and range over the seeds)',
    x: { name: 'p' },
    y: { name: 'characters', min: 0 },
    lines: layersOf(plan).map((layer) => ({
      name: `layer ${layer}`,
      points: plan.budget.powers.flatMap((p) => {
        const distance = summarise(layerOf(plan, results, power(p), layer).map((run) => run.distance));
        return distance === undefined ? [] : [{ x: p, y: distance.mean, low: distance.min, high: distance.max }];
      }),
    })),
  });
}

function mapPlot(plan: Plan, results: Results) {
  const rows = layersOf(plan).map((layer) =>
    variantsOf(plan).flatMap((variant) => {
      const maps = layerOf(plan, results, variant, layer).map(({ map }) => map);
      const [first] = maps;
      if (first === undefined) return [];
      const mean = first.map((row, i) => row.map((_, j) => maps.reduce((sum, map) => sum + (map[i]?.[j] ?? 0), 0) / maps.length));
      return [{ name: `${variant.p === undefined ? variant.name : `p = ${variant.p}`}, layer ${layer}`, cells: mean }];
    }),
  );
  return heatMapPlot({
    name: 'locality-maps',
    title: 'Mean attention (rows: queries from the top; columns: keys)',
    rows,
    largest: DARKEST,
  });
}

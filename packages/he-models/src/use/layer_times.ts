import type { Inference } from './local_pair.js';
import { median } from './median.js';

/** Milliseconds by the name of the layer, in the order of execution. */
export type LayerTimes = Readonly<Record<string, number>>;

/** Median over runs of what each layer took. */
export function layerMedians(runs: readonly Pick<Inference, 'layers'>[]): LayerTimes {
  const times = runs.map(layerTimes);
  const names = [...new Set(times.flatMap((run) => [...run.keys()]))];
  return Object.fromEntries(names.map((name) => [name, median(times.map((run) => run.get(name) ?? 0))]));
}

/** A layer may run in several parts. */
function layerTimes({ layers }: Pick<Inference, 'layers'>): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { name, ms } of layers) times.set(name, (times.get(name) ?? 0) + ms);
  return times;
}

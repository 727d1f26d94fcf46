import type { Plan } from '../plan.ts';
import type { Plot } from '../report/plot.ts';
import type { Table } from '../report/table.ts';
import type { ResultOf, Task } from '../tasks.ts';

/** Results so far; undefined for a task that has not been done. */
export type Results = <T extends Task>(task: T) => ResultOf<T> | undefined;

export interface Section {
  /** What was run, one paragraph of Markdown. */
  readonly setting: string;
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
}

/** One of the paper's claims: what has to be run for it, and what is made of the results. */
export interface Experiment {
  /** Name of its files. */
  readonly id: string;
  readonly title: string;
  /** For one seed, so that runs go seed by seed and a stopped command has whole ones. */
  readonly tasks: (plan: Plan, seed: number) => readonly Task[];
  readonly section: (plan: Plan, results: Results) => Section;
}

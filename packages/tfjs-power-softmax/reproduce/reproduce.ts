import { type Corpus, countEntropies } from './corpus.ts';
import { tasksOf } from './experiments/all.ts';
import type { Budget, Plan } from './plan.ts';
import { runPool } from './pool.ts';
import { progressOn, type Terminal } from './progress.ts';
import { type Archive, archiveOf } from './report/archive.ts';
import { isStored } from './store.ts';

export interface ReproduceOptions {
  /** Folder of the text. */
  readonly data: string;
  /** Folder of finished runs. */
  readonly work: string;
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

export function planOf(budget: Budget, seeds: number, corpus: Corpus): Plan {
  return { budget, seeds, text: corpus.hash, baselines: countEntropies(corpus) };
}

/**
 * Does what a plan takes and has not been done, and collects all results.
 *
 * @returns what is done, which is not everything where the signal was given
 * @throws Error where a run fails; what was done before stays
 */
export async function reproduce(plan: Plan, { work, terminal, ...options }: ReproduceOptions): Promise<Archive> {
  const tasks = tasksOf(plan);
  const finished = tasks.filter((task) => isStored(work, task));
  const left = tasks.filter((task) => !isStored(work, task));
  const progress = progressOn(terminal, tasks, finished);
  await runPool(left, (task) => isStored(work, task), { ...options, work, onProgress: progress.step, onDone: progress.done });
  progress.end();
  return archiveOf(plan, tasks, work, options.jobs);
}

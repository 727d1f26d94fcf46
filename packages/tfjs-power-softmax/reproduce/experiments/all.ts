import { type Plan, seedsOf } from '../plan.ts';
import { distinct, prerequisite, type Task } from '../tasks.ts';
import { attention } from './attention.ts';
import { depth } from './depth.ts';
import { epsilon } from './epsilon.ts';
import type { Experiment } from './experiment.ts';
import { length } from './length.ts';
import { locality } from './locality.ts';

export const EXPERIMENTS: readonly Experiment[] = [attention, depth, epsilon, length, locality];

/** Everything that a plan takes, each task once and after the training it needs; whole seeds after one another. */
export function tasksOf(plan: Plan): Task[] {
  const tasks = seedsOf(plan).flatMap((seed) => EXPERIMENTS.flatMap((experiment) => experiment.tasks(plan, seed)));
  return distinct(tasks.flatMap((task) => [prerequisite(task) ?? task, task]));
}

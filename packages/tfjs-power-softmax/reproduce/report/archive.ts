import { cpus } from 'node:os';
import type { Results } from '../experiments/experiment.ts';
import type { Plan } from '../plan.ts';
import { readStored } from '../store.ts';
import { type ResultOf, type Task, taskKey } from '../tasks.ts';

/** All that the tables and plots are made of, as JSON. */
export interface Archive {
  readonly plan: Plan;
  readonly machine: Machine;
  /** Seconds that runs took in all, each in a process of its own, and the number of processes at once. */
  readonly seconds: number;
  readonly jobs: number;
  /** Runs of the plan, done or not. */
  readonly runs: number;
  /** By task key. */
  readonly results: Readonly<Record<string, unknown>>;
}

export interface Machine {
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
}

export function thisMachine(): Machine {
  const processors = cpus();
  return { node: process.version, processor: processors[0]?.model.trim() ?? 'unknown', cores: processors.length };
}

/** Collects what is in the work folder. */
export function archiveOf(plan: Plan, tasks: readonly Task[], work: string, jobs: number): Archive {
  const stored = tasks.flatMap((task) => readStored(work, task) ?? []);
  return {
    plan,
    machine: thisMachine(),
    seconds: Math.round(stored.reduce((sum, { seconds }) => sum + seconds, 0)),
    jobs,
    runs: tasks.length,
    results: Object.fromEntries(stored.map(({ key, result }) => [key, result])),
  };
}

export function resultsOf({ results }: Archive): Results {
  // Keys name the kind of their results.
  return <T extends Task>(task: T) => results[taskKey(task)] as ResultOf<T> | undefined;
}

import { createHash } from 'node:crypto';
import type { DenominatorConfig, DenominatorResult } from './measurements/denominators.ts';
import type { LengthConfig, LengthResult } from './measurements/lengths.ts';
import type { LocalityConfig, LocalityResult } from './measurements/locality.ts';
import type { PolynomialConfig, PolynomialResult } from './measurements/polynomial_form.ts';
import type { TrainConfig, TrainResult } from './training.ts';

/** What is measured on a trained model: its settings, and what comes out. */
interface Measurements {
  readonly polynomial: { readonly config: PolynomialConfig; readonly result: PolynomialResult };
  readonly denominators: { readonly config: DenominatorConfig; readonly result: DenominatorResult };
  readonly lengths: { readonly config: LengthConfig; readonly result: LengthResult };
  readonly locality: { readonly config: LocalityConfig; readonly result: LocalityResult };
}

export type MeasurementKind = keyof Measurements;

export interface TrainTask {
  readonly kind: 'train';
  /** SHA-256 of the text. */
  readonly text: string;
  readonly train: TrainConfig;
}

export type MeasureTask<K extends MeasurementKind = MeasurementKind> = {
  readonly [kind in K]: {
    readonly kind: kind;
    readonly text: string;
    readonly train: TrainConfig;
    readonly config: Measurements[kind]['config'];
  };
}[K];

/** One unit of work, done by one process: training a model, or a measurement on a trained one. */
export type Task = TrainTask | MeasureTask;

export type ResultOf<T extends Task> = T extends { readonly kind: infer K }
  ? K extends MeasurementKind
    ? Measurements[K]['result']
    : TrainResult
  : never;

export function trainTask(text: string, train: TrainConfig): TrainTask {
  return { kind: 'train', text, train };
}

/** The training that a task needs first; undefined for a training. */
export function prerequisite(task: Task): TrainTask | undefined {
  return task.kind === 'train' ? undefined : trainTask(task.text, task.train);
}

/** Name of a task's result: its kind and a hash of its whole configuration, whatever the order of its keys. */
export function taskKey(task: Task): string {
  return `${task.kind}-${createHash('sha256').update(canonical(task)).digest('hex').slice(0, 16)}`;
}

/** What a task costs, in steps of one layer: for progress and its forecast only. */
export function taskCost({ kind, train }: Task): number {
  const perStep = train.model.layers + FIXED_COST;
  return kind === 'train' ? train.steps * perStep : MEASUREMENT_STEPS * perStep;
}

/** Each task once, in their order. */
export function distinct(tasks: readonly Task[]): Task[] {
  return [...new Map(tasks.map((task) => [taskKey(task), task])).values()];
}

/** Embedding, head and optimizer, in layers. */
const FIXED_COST = 0.4;
const MEASUREMENT_STEPS = 50;

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ResultOf, type Task, type TrainTask, taskKey } from './tasks.ts';

/** A finished task in the work folder. */
export interface Stored<T extends Task> {
  readonly key: string;
  readonly task: T;
  /** How long it took. */
  readonly seconds: number;
  readonly result: ResultOf<T>;
}

function fileOf(folder: string, task: Task, extension: string): string {
  return path.join(folder, `${taskKey(task)}.${extension}`);
}

/** The stored result of a task, undefined before it is done. @throws SyntaxError for a damaged file */
export function readStored<T extends Task>(folder: string, task: T): Stored<T> | undefined {
  const file = fileOf(folder, task, 'json');
  // Written by writeStored under a name that says the task.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Stored<T>) : undefined;
}

export function isStored(folder: string, task: Task): boolean {
  return existsSync(fileOf(folder, task, 'json'));
}

export function writeStored<T extends Task>(folder: string, task: T, seconds: number, result: ResultOf<T>): void {
  const stored: Stored<T> = { key: taskKey(task), task, seconds, result };
  writeWhole(fileOf(folder, task, 'json'), `${JSON.stringify(stored)}\n`);
}

/** Weights of a model, in its order, as one array. */
export function writeWeights(folder: string, task: TrainTask, weights: readonly Float32Array[]): void {
  const whole = new Float32Array(weights.reduce((length, { length: more }) => length + more, 0));
  let offset = 0;
  for (const weight of weights) {
    whole.set(weight, offset);
    offset += weight.length;
  }
  writeWhole(fileOf(folder, task, 'bin'), new Uint8Array(whole.buffer));
}

/** @throws Error where the training has not been done */
export function readWeights(folder: string, task: TrainTask): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(fileOf(folder, task, 'bin'))).buffer);
}

/** A file appears whole or not at all, so that a run that is stopped leaves nothing that looks finished. */
function writeWhole(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

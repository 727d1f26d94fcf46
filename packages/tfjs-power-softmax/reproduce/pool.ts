import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from './messages.ts';
import { prerequisite, type Task, taskKey } from './tasks.ts';

export interface PoolOptions {
  readonly data: string;
  readonly work: string;
  readonly jobs: number;
  /** Stops the pool: processes end at once, and what they were at is lost. */
  readonly signal: AbortSignal;
  readonly onProgress: (task: Task, step: number, loss: number) => void;
  readonly onDone: (task: Task) => void;
}

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));

/**
 * Does tasks in processes of their own, in order but for those that wait for a training.
 *
 * @param tasks not yet done
 * @param done whether a task has been done before
 * @returns when all are done, or the signal was given
 * @throws Error where a task fails or a process ends by itself, when the others are stopped, and for a task whose training is neither done
 * nor among the tasks
 */
export async function runPool(tasks: readonly Task[], done: (task: Task) => boolean, options: PoolOptions): Promise<void> {
  const known = new Set(tasks.map(taskKey));
  for (const task of tasks) {
    const first = prerequisite(task);
    if (first !== undefined && !done(first) && !known.has(taskKey(first)))
      throw new Error(`${taskKey(task)} waits for a training that is not due`);
  }
  const waiting = [...tasks];
  const finished = new Set<string>();
  const isReady = (task: Task): boolean => {
    const first = prerequisite(task);
    return first === undefined || finished.has(taskKey(first)) || done(first);
  };
  const take = (): Task | undefined => {
    const index = waiting.findIndex(isReady);
    return index < 0 ? undefined : waiting.splice(index, 1)[0];
  };
  const idle = new Set<() => void>();
  const workers: ChildProcess[] = [];
  const stop = (): void => {
    for (const worker of workers) worker.kill();
  };
  options.signal.addEventListener('abort', stop);

  const runWorker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = fork(WORKER, [options.data, options.work], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      workers.push(worker);
      let current: Task | undefined;
      const next = (): void => {
        idle.delete(next);
        // Killed, with an answer still under way.
        if (!worker.connected || worker.killed) return;
        current = take();
        if (current !== undefined) {
          worker.send({ task: current } satisfies ToWorker);
        } else if (waiting.length === 0) {
          worker.disconnect();
        } else {
          // Another process trains what the rest waits for.
          idle.add(next);
        }
      };
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'progress') {
          if (current !== undefined) options.onProgress(current, message.step, message.loss);
          return;
        }
        if (message.kind === 'failed') {
          reject(new Error(`${current === undefined ? 'a task' : taskKey(current)} failed: ${message.message}`));
          stop();
          return;
        }
        if (message.kind === 'done' && current !== undefined) {
          finished.add(taskKey(current));
          options.onDone(current);
        }
        next();
        for (const wake of [...idle]) if (wake !== next) wake();
      });
      worker.on('exit', (code, signal) => {
        if (options.signal.aborted || (code === 0 && current === undefined)) resolve();
        else reject(new Error(`a worker ended with ${signal ?? code}`));
      });
      worker.on('error', reject);
    });

  try {
    await Promise.all(Array.from({ length: Math.min(options.jobs, tasks.length) }, runWorker));
  } finally {
    stop();
    options.signal.removeEventListener('abort', stop);
  }
}

import { HeError } from '../errors.js';
import { spawnWorker } from './spawn_worker.js';
import { errorFrom, type FromWorker, type ToWorker } from './worker_messages.js';

/** Threads of ours, and the questions that wait for their replies. */
export interface WorkerThreads {
  /** Why no thread answers any more. */
  readonly failure: HeError | undefined;
  send(worker: number, message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  sendAll(message: ToWorker): void;
  /** Sends every worker its message, and waits for all replies. @throws HeError WORKER_FAILED, or the first error that a worker replies. */
  askAll(message: (worker: number) => ToWorker): Promise<void>;
  /** Without a failure. */
  terminate(): void;
}

export interface WorkerListener {
  /** Everything but replies. */
  onMessage(worker: number, message: Exclude<FromWorker, { type: 'reply' }>): void;
  /** A thread has ended: called before any question is rejected. */
  onFailure(failure: HeError): void;
}

/** @param url where the worker's code is, for bundles that moved it */
export function startWorkers(count: number, url: URL | undefined, listener: WorkerListener): WorkerThreads {
  const waiting: { resolve: () => void; reject: (error: unknown) => void }[][] = Array.from({ length: count }, () => []);
  let failure: HeError | undefined;
  let terminated = false;
  const fail = (cause: unknown): void => {
    if (terminated) return;
    failure ??= new HeError('WORKER_FAILED', 'a worker thread has ended', { op: 'worker', hint: 'Create the server again.', cause });
    listener.onFailure(failure);
    for (const { reject } of waiting.flat()) reject(failure);
  };
  const threads = Array.from({ length: count }, () => spawnWorker(url));
  for (const [worker, thread] of threads.entries()) {
    thread.onFailure(fail);
    thread.listen((message) => {
      if (message.type !== 'reply') return listener.onMessage(worker, message);
      const question = waiting[worker]?.shift();
      if (message.error === undefined) question?.resolve();
      else question?.reject(errorFrom(message.error));
    });
  }
  const ask = (worker: number, message: ToWorker): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting[worker]?.push({ resolve, reject });
      threads[worker]?.post(message);
    });
  return {
    get failure() {
      return failure;
    },
    send: (worker, message, transfer) => threads[worker]?.post(message, transfer),
    sendAll(message) {
      for (const thread of threads) thread.post(message);
    },
    async askAll(message) {
      const results = await Promise.allSettled(threads.map((_, worker) => ask(worker, message(worker))));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
    terminate() {
      terminated = true;
      for (const thread of threads) thread.terminate();
    },
  };
}

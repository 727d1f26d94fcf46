import type { FromWorker, Port, ToWorker } from './worker_messages.js';

/** A thread of ours. */
export interface WorkerThread extends Port<ToWorker, FromWorker> {
  onFailure(fail: (error: unknown) => void): void;
  terminate(): void;
}

/**
 * Starts a worker thread: worker_threads in Node, a module worker elsewhere.
 * @param url where the worker's code is, for bundles that moved it; default: beside this module.
 */
export function spawnWorker(url?: URL): WorkerThread {
  // Not an import: bundlers for browsers would stumble over it.
  const threads = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:worker_threads');
  if (threads !== undefined) {
    const worker = new threads.Worker(url ?? new URL('./worker.js', import.meta.url));
    return {
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      listen: (receive) => worker.on('message', receive),
      onFailure(fail) {
        worker.on('error', fail);
        worker.on('exit', () => fail(new Error('the worker has ended')));
      },
      terminate: () => void worker.terminate(),
    };
  }
  const worker =
    url === undefined ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) : new Worker(url, { type: 'module' });
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen: (receive) => worker.addEventListener('message', ({ data }) => receive(data as FromWorker)),
    onFailure: (fail) => worker.addEventListener('error', ({ message }) => fail(new Error(message))),
    terminate: () => worker.terminate(),
  };
}

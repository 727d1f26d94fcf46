/** Entry point of a worker thread: worker_threads in Node, a module worker in browsers. */
import { serveWorker } from './worker_loop.js';
import type { FromWorker, Port, ToWorker } from './worker_messages.js';

function openPort(): Port<FromWorker, ToWorker> {
  const threads = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:worker_threads');
  const parent = threads?.parentPort;
  if (parent !== null && parent !== undefined) {
    return {
      post: (message, transfer = []) => parent.postMessage(message, [...transfer]),
      listen: (receive) => parent.on('message', receive),
    };
  }
  const scope = globalThis as unknown as DedicatedScope; // a module worker's global object
  return {
    post: (message, transfer = []) => scope.postMessage(message, [...transfer]),
    listen: (receive) => scope.addEventListener('message', ({ data }) => receive(data)),
  };
}

interface DedicatedScope {
  postMessage(message: FromWorker, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToWorker }) => void): void;
}

serveWorker(openPort());

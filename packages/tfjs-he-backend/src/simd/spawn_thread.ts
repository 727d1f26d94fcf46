/** A started thread. */
export interface Thread {
  terminate(): void;
}

function nodeThreads(): typeof import('node:worker_threads') | undefined {
  // Not an import: bundlers for browsers would stumble over it.
  return typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:worker_threads');
}

/** Whether threads can share a memory: in Node; in browsers, on pages that are isolated from other origins (headers COOP and COEP). */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  return nodeThreads() !== undefined || (typeof Worker !== 'undefined' && globalThis.crossOriginIsolated === true);
}

/** Whether this thread may sleep until another one wakes it: the main thread of a page may not. */
export function canSleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a thread: of worker_threads in Node, a module worker in browsers.
 * @param code JavaScript, as text, so that no bundler has to find a file: defines `start(data, ready)`, which calls `ready()` once, and gives a promise that rejects if it fails
 * @param data cloned into the thread, memory shared
 * @returns when it is ready; rejects when it fails before, or is not in `startMs`
 */
export function spawnThread(code: string, data: object, startMs: number): Promise<Thread> {
  const threads = nodeThreads();
  return threads === undefined ? inBrowser(code, data, startMs) : inNode(threads, code, data, startMs);
}

const NODE = `
const { parentPort, workerData } = require('node:worker_threads');
start(workerData, () => parentPort.postMessage('ready'));
`;

const BROWSER = `
const fail = (error) => setTimeout(() => { throw error; }); // a rejection would not be heard of outside
addEventListener('message', ({ data }) => start(data, () => postMessage('ready')).catch(fail), { once: true });
`;

function inNode(threads: typeof import('node:worker_threads'), code: string, data: object, startMs: number): Promise<Thread> {
  const worker = new threads.Worker(code + NODE, { eval: true, workerData: data });
  const thread = { terminate: () => void worker.terminate() };
  return started(thread, startMs, (ready, fail) => {
    worker.once('message', () => {
      // A sleeping worker must not keep the process alive.
      worker.unref();
      ready();
    });
    worker.once('error', fail);
  });
}

function inBrowser(code: string, data: object, startMs: number): Promise<Thread> {
  const url = URL.createObjectURL(new Blob([code + BROWSER], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module' });
  const thread = { terminate: () => worker.terminate() };
  return started(thread, startMs, (ready, fail) => {
    worker.addEventListener('message', ready, { once: true });
    worker.addEventListener('error', ({ message }) => fail(new Error(message)), { once: true });
    worker.postMessage(data);
  }).finally(() => URL.revokeObjectURL(url));
}

function started(thread: Thread, startMs: number, listen: (ready: () => void, fail: (error: Error) => void) => void): Promise<Thread> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      thread.terminate();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error('the thread does not start')), startMs);
    listen(() => {
      clearTimeout(timer);
      resolve(thread);
    }, fail);
  });
}

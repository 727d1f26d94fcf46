import { HeError } from './errors.js';

/** Other work of the process gets a turn this often. */
const TURN_MS = 25;

/** Long synchronous work in slices: when `due()`, await `next()`. */
export function createTurns(): { due(): boolean; next(): Promise<void> } {
  let last = performance.now();
  return {
    due: () => performance.now() - last > TURN_MS,
    async next() {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    },
  };
}

/**
 * Gives everything that has arrived meanwhile (messages, timers) its turn: cheap enough to do between any two operations, unlike a timer, which
 * browsers hold back for milliseconds.
 */
export function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** @throws HeError ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined, op: string): void {
  if (signal?.aborted === true) throw aborted(op);
}

/** What `work` resolves to, unless the signal comes first: then HeError ABORTED, and the result of `work` is ignored. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, op: string): Promise<T> {
  if (signal === undefined) return work;
  let cancel = (): void => {};
  const cancelled = new Promise<never>((_, reject) => {
    cancel = () => reject(aborted(op));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function aborted(op: string): HeError {
  return new HeError('ABORTED', 'cancelled by the caller', { op, hint: 'Start it again if that was not wanted.' });
}

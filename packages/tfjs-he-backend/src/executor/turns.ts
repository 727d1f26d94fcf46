import { HeError } from '../errors.js';

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

/** @throws HeError ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined, op: string): void {
  if (signal?.aborted === true)
    throw new HeError('ABORTED', 'cancelled by the caller', { op, hint: 'Start it again if that was not wanted.' });
}

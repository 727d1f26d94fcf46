import { setImmediate } from 'node:timers/promises';

/** The longest that work goes on without the event loop. */
const TURN_MS = 50;

/** Lets the event loop, which hears of Ctrl-C, have a turn. @throws the reason of an aborted signal */
export async function takeTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/**
 * Turns for the event loop during long work: call what is returned after every step.
 *
 * @returns throws the reason of an aborted signal
 */
export function createTurns(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > TURN_MS) {
      await takeTurn(signal);
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}

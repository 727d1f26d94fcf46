import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { RunState } from '../executor/run.js';
import type { Run } from '../executor/types.js';
import { type Program, stateRegisters } from '../program/program.js';
import type { Sequence } from './types.js';

/**
 * @param initial what the first run begins with, in the order of the program's `state`, wire form
 * @param start a run that begins with a state
 * @throws HeError WIRE_*, RUN_UNAVAILABLE for a program without state.
 */
export function createSequence<C>(
  program: Program,
  engine: Engine<C, unknown>,
  initial: readonly Uint8Array[],
  start: (inputs: readonly Uint8Array[], state: RunState<C>) => Run,
  onDispose: () => void,
): Sequence {
  const count = stateRegisters(program).length;
  if (count === 0) throw unavailable('the program keeps nothing from run to run', 'Use session.run().');
  if (initial.length !== count) {
    throw new HeError('WIRE_MALFORMED', `${initial.length} ciphertexts to begin with where ${count} are expected`, {
      op: 'sequence',
      hint: 'Send the ciphertexts of every state of the manifest, in order.',
    });
  }
  let current: readonly C[] = [];
  let length = 0;
  let running: Run | undefined;
  let disposed = false;
  const release = (): void => {
    for (const ciphertext of current) engine.dispose(ciphertext);
    current = [];
  };
  const replace = (next: readonly C[]): void => {
    release();
    current = next;
    if (disposed) release();
  };
  try {
    for (const bytes of initial) current = [...current, engine.load(bytes)];
  } catch (error) {
    release();
    throw error;
  }
  return {
    get length() {
      return length;
    },
    async run(inputs, options) {
      if (disposed) throw unavailable('the sequence has been disposed of', 'Begin another one.');
      if (running !== undefined)
        throw unavailable('a run of the sequence is under way', 'Wait for it: it is what the next one begins with.');
      const run = start(inputs, { current, replace });
      running = run;
      try {
        const result = await run.proceed(options);
        length++;
        return result;
      } finally {
        running = undefined;
        run.dispose();
      }
    },
    dispose() {
      disposed = true;
      running?.dispose();
      release();
      onDispose();
    },
  };
}

function unavailable(message: string, hint: string): HeError {
  return new HeError('RUN_UNAVAILABLE', message, { op: 'sequence', hint });
}

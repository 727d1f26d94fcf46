import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { RunState } from '../executor/run.js';
import type { Origin } from '../executor/saved_file.js';
import type { KeepOptions, Run } from '../executor/types.js';
import { stateRegisters } from '../program/program.js';
import { decodeSequence, encodeSequence, loadAll, type SavedSequence } from './saved_sequence.js';
import type { Sequence } from './types.js';

/** What a session gives to its sequences. */
export interface SequenceContext<C> extends Origin {
  readonly engine: Engine<C, unknown>;
  /** A run that begins with a state: from inputs, or from what a run saved. */
  readonly begin: (from: readonly Uint8Array[] | Uint8Array, state: RunState<C>, keep?: KeepOptions) => Run;
  readonly onDispose: () => void;
}

/**
 * @param from what the first run begins with, in the order of the program's `state`, wire form, or what save() of another sequence gave
 * @param keep for the run that had begun when the sequence was saved
 * @throws HeError WIRE_*, RUN_UNAVAILABLE for a program without state.
 */
export function createSequence<C>(context: SequenceContext<C>, from: readonly Uint8Array[] | Uint8Array, keep?: KeepOptions): Sequence {
  const { engine } = context;
  const saved = beginning(context, from);
  let { length, state } = saved;
  let latest: Run | undefined;
  let disposed = false;
  const release = (): void => {
    for (const ciphertext of state) engine.dispose(ciphertext);
    state = [];
  };
  const replace = (next: readonly C[]): void => {
    release();
    state = next;
    length++;
    latest = undefined;
  };
  const begin = (inputs: readonly Uint8Array[] | Uint8Array, options?: KeepOptions): Run => {
    latest = context.begin(inputs, { current: state, replace }, options);
    return latest;
  };
  const pending = (): Run | undefined => (latest?.state === 'gone' ? undefined : latest);
  const requireOpen = (): void => {
    if (disposed) throw unavailable('the sequence has been disposed of', 'Begin another one, or restore one that was saved.');
  };
  const start: Sequence['start'] = (inputs, options) => {
    requireOpen();
    if (pending() === undefined) return begin(inputs, options);
    throw unavailable('a run of the sequence is under way', 'Wait for it: it is what the next one begins with. Or dispose of it.');
  };
  if (saved.run !== undefined) {
    try {
      begin(saved.run, keep);
    } catch (error) {
      release();
      throw error;
    }
  }
  return {
    get length() {
      return length;
    },
    get pending() {
      return pending();
    },
    start,
    async run(inputs, options) {
      const run = start(inputs);
      try {
        return await run.proceed(options);
      } finally {
        run.dispose();
      }
    },
    save() {
      requireOpen();
      return encodeSequence(context, engine, { length, state, run: pending()?.save() });
    },
    dispose() {
      disposed = true;
      latest?.dispose();
      release();
      context.onDispose();
    },
  };
}

function beginning<C>(context: SequenceContext<C>, from: readonly Uint8Array[] | Uint8Array): SavedSequence<C> {
  const count = stateRegisters(context.program).length;
  if (count === 0) throw unavailable('the program keeps nothing from run to run', 'Use session.run().');
  if (from instanceof Uint8Array) return decodeSequence(context, context.engine, from);
  if (from.length !== count) {
    throw new HeError('WIRE_MALFORMED', `${from.length} ciphertexts to begin with where ${count} are expected`, {
      op: 'sequence',
      hint: 'Send the ciphertexts of every state of the manifest, in order.',
    });
  }
  return { length: 0, state: loadAll(context.engine, from), run: undefined };
}

function unavailable(message: string, hint: string): HeError {
  return new HeError('RUN_UNAVAILABLE', message, { op: 'sequence', hint });
}

import type { CiphertextHandle } from '../engines/handles.js';
import type { Ledger } from '../engines/ledger.js';
import type { AnyEngine } from '../engines/runtime.js';
import { HeError } from '../errors.js';
import { createRun, type RunContext, type RunState } from '../executor/run.js';
import type { Origin } from '../executor/saved_file.js';
import type { KeepOptions, Run } from '../executor/types.js';
import { createSequence } from './sequence.js';
import type { Sequence, Session } from './types.js';

type Handle = CiphertextHandle<unknown>;

/** What all runs of a session have in common: its engine has one client's keys. */
export interface SessionContext
  extends Origin,
    Omit<RunContext<Handle, ReturnType<AnyEngine['encode']>>, 'runId' | 'state' | keyof Origin> {
  readonly engine: AnyEngine;
  readonly ledger: Ledger;
  /** Another one at every call, over all sessions of all servers under the mask key. */
  readonly nextRunId: () => string;
  readonly onDispose: () => void;
}

/** A session, which owns its runs and sequences, and its engine. */
export function createSession({ ledger, nextRunId, onDispose, ...context }: SessionContext): Session {
  const { program, engine, keys } = context;
  const runs = new Set<Run>();
  const sequences = new Set<Sequence>();
  let disposed = false;

  const begin = (from: readonly Uint8Array[] | Uint8Array, keep?: KeepOptions, state?: RunState<Handle>): Run => {
    requireOpen(disposed);
    const run = createRun({ ...context, runId: nextRunId(), ...(state === undefined ? {} : { state }) }, from, keep);
    for (const earlier of runs) if (earlier.state === 'gone') runs.delete(earlier);
    runs.add(run);
    return run;
  };
  const openSequence = (from: readonly Uint8Array[] | Uint8Array, keep?: KeepOptions): Sequence => {
    requireOpen(disposed);
    const sequence = createSequence(
      {
        program,
        engine,
        keys,
        begin: (inputs, state: RunState<Handle>, options) => begin(inputs, options, state),
        onDispose: () => sequences.delete(sequence),
      },
      from,
      keep,
    );
    sequences.add(sequence);
    return sequence;
  };
  return {
    ledger,
    start: (inputs, keep) => begin(inputs, keep),
    restore: (saved, keep) => begin(saved, keep),
    sequence: (initial) => openSequence(initial),
    restoreSequence: openSequence,
    async run(inputs, options) {
      const run = begin(inputs);
      try {
        return await run.proceed(options);
      } finally {
        run.dispose();
        runs.delete(run);
      }
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const run of runs) run.dispose();
      for (const sequence of sequences) sequence.dispose();
      engine.close();
      onDispose();
    },
  };
}

function requireOpen(disposed: boolean): void {
  if (!disposed) return;
  throw new HeError('RUN_UNAVAILABLE', 'the session has been disposed of', {
    op: 'session',
    hint: "Open another one with the client's evaluation keys.",
  });
}

import { HeError } from '../errors.js';
import { sentInputs, stateRegisters } from '../program/program.js';
import { createExecution, type RunContext } from './execution.js';
import { RegisterFile } from './register_file.js';
import { BEGINNING, decodeRun, encodeRun } from './saved_run.js';
import type { KeepOptions, Run, RunResult } from './types.js';

export type { Outgoing, RunContext, RunState, SegmentRunner } from './execution.js';

const KEEP_MS = 120_000;
const KEEP_BYTES = 256 * 2 ** 20;

/**
 * A run of a program: segment by segment, a round of refreshes between two. Registers are released at their last use; what a segment starts from
 * is kept until it has ended.
 * @param start input ciphertexts, or what save() of another run of the program gave
 * @throws HeError WIRE_* when the inputs are not what the program takes, RUN_UNAVAILABLE for a program with state where `context` has none.
 */
export function createRun<C, P>(context: RunContext<C, P>, start: readonly Uint8Array[] | Uint8Array, options: KeepOptions = {}): Run {
  const { program, engine, keys = '' } = context;
  const { keepMs = KEEP_MS, keepBytes = KEEP_BYTES } = options;
  requireState(context, start instanceof Uint8Array ? 'restore' : 'run');
  const origin = { program, keys };
  const { record, registers } =
    start instanceof Uint8Array ? decodeRun(origin, engine, start) : { record: BEGINNING, registers: loadInputs(context, start) };
  const execution = createExecution(context, record, registers);
  let state: Run['state'] = 'ready';
  let result: RunResult | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const disposal = new AbortController();

  const wasDisposed = (): boolean => state === 'gone';
  const giveUp = (): void => {
    clearTimeout(timer);
    state = 'gone';
    result = undefined;
    registers.releaseAll();
  };

  return {
    async proceed(runOptions) {
      if (state !== 'ready') throw unavailable(state, 'proceed');
      clearTimeout(timer);
      if (result !== undefined) return result;
      state = 'running';
      try {
        const signals = runOptions.signal === undefined ? [disposal.signal] : [disposal.signal, runOptions.signal];
        result = await execution.finish({ ...runOptions, signal: AbortSignal.any(signals) }, disposal.signal);
        if (!wasDisposed()) state = 'ready';
        return result;
      } catch (error) {
        // Disposed of meanwhile, or too large to keep.
        if (wasDisposed() || registers.bytes > keepBytes) giveUp();
        else {
          state = 'ready';
          timer = setTimeout(giveUp, keepMs);
          if (typeof timer === 'object') timer.unref();
        }
        throw error;
      }
    },
    save() {
      if (result !== undefined || state === 'gone' || (state === 'running' && !execution.waiting)) throw unavailable(state, 'save');
      return encodeRun(origin, engine, registers, execution.record);
    },
    get segment() {
      return execution.record.position.segment;
    },
    get state() {
      return state;
    },
    get bytes() {
      return state === 'gone' ? 0 : registers.bytes;
    },
    dispose() {
      // What is under way ends before its next operation, and then gives up.
      if (state === 'running') state = 'gone';
      else giveUp();
      disposal.abort();
    },
  };
}

const UNAVAILABLE = {
  ready: ['the run has ended', 'Take its result from proceed().'],
  running: ['the run is under way', 'Wait for it, or abort it first; save it while it waits for refreshes.'],
  gone: ['the run has been given up', 'Start another from the inputs.'],
} as const;

function unavailable(state: Run['state'], op: string): HeError {
  const [message, hint] = UNAVAILABLE[state];
  return new HeError('RUN_UNAVAILABLE', message, { op, hint });
}

function requireState<C, P>({ program, state }: RunContext<C, P>, op: 'run' | 'restore'): void {
  if (state !== undefined || stateRegisters(program).length === 0) return;
  const hint = {
    run: 'Begin a sequence of runs with session.sequence().',
    restore: 'Save the sequence itself, with sequence.save(), and restore it with session.restoreSequence().',
  };
  throw new HeError('RUN_UNAVAILABLE', 'the program goes on from what the run before has left', { op, hint: hint[op] });
}

function loadInputs<C, P>({ program, engine, state }: RunContext<C, P>, inputs: readonly Uint8Array[]): RegisterFile<C> {
  const sent = sentInputs(program).flatMap(({ registers }) => registers);
  if (inputs.length !== sent.length) {
    throw new HeError('WIRE_MALFORMED', `${inputs.length} input ciphertexts where ${sent.length} are expected`, {
      op: 'run',
      hint: 'Send the ciphertexts of every input of the manifest, in order.',
    });
  }
  const registers = new RegisterFile(engine);
  try {
    for (const [i, register] of sent.entries()) registers.set(register, engine.load(inputs[i] ?? new Uint8Array(0)));
    for (const [i, register] of stateRegisters(program).entries()) {
      const ciphertext = state?.current[i];
      if (ciphertext !== undefined) registers.set(register, engine.clone(ciphertext));
    }
    return registers;
  } catch (error) {
    registers.releaseAll();
    throw error;
  }
}

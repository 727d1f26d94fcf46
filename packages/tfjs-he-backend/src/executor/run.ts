import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import { lastUses, neededAfter } from '../program/liveness.js';
import { type ConstantId, type Program, type Segment, sentInputs, sentOutputs, stateRegisters } from '../program/program.js';
import { nextMacrotask, throwIfAborted } from '../turns.js';
import { interpret } from './interpret.js';
import { LayerClock } from './layer_clock.js';
import { refreshRound } from './refresh_round.js';
import { RegisterFile } from './register_file.js';
import { rotationGroups } from './rotation_groups.js';
import { BEGINNING, decodeRun, encodeRun } from './saved_run.js';
import type { KeepOptions, Run, RunOptions, RunResult } from './types.js';

export interface RunContext<C, P> {
  readonly program: Program;
  readonly engine: Engine<C, P>;
  readonly constant: (id: ConstantId) => P;
  readonly maskKey: Uint8Array;
  /** Unique for every run under one mask key: masks must never repeat. */
  readonly runId: string;
  /** Names the evaluation keys, for runs that are saved. */
  readonly keys?: string;
  /** Changes what goes to the client, in wire form; without it, ciphertexts go as they are. */
  readonly outgoing?: Outgoing;
  /** Evaluates segments elsewhere; without it, this thread does. */
  readonly runSegment?: SegmentRunner<C>;
  /** For programs with state. */
  readonly state?: RunState<C>;
}

/** What runs of a sequence hand on to each other, in the order of the program's `state`. */
export interface RunState<C> {
  /** Copied when a run begins. */
  readonly current: readonly C[];
  /** Takes over what a run has ended with. */
  readonly replace: (next: readonly C[]) => void;
}

/** What becomes of ciphertexts (wire form, refresh level) before they leave: those to be refreshed are masked by then. */
export interface Outgoing {
  refresh(frame: Uint8Array): Uint8Array;
  output(frame: Uint8Array): Uint8Array;
}

/** Evaluates one segment: reads what it starts from in `registers`, and leaves there what later segments, refreshes and outputs need. */
export type SegmentRunner<C> = (segment: number, registers: RegisterFile<C>, clock: LayerClock, options: RunOptions) => Promise<void>;

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
  const clock = new LayerClock(program);
  const dying = lastUses(program);
  const needed = neededAfter(program);
  const time = { total: record.totalMs, refresh: record.refreshMs };
  let { position, refreshes } = record;
  let attempt = 0;
  let waiting = false;
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
  const evaluate = async (segment: Segment, runOptions: RunOptions): Promise<void> => {
    registers.mark();
    clock.enter(position.segment);
    try {
      if (context.runSegment !== undefined) await context.runSegment(position.segment, registers, clock, runOptions);
      else await runSegment(context, segment, registers, dying[position.segment] ?? [], clock, runOptions);
    } catch (error) {
      registers.rollback();
      throw error;
    }
    registers.commit();
    position = { ...position, evaluated: true };
  };
  const refresh = async (segment: Segment, runOptions: RunOptions): Promise<void> => {
    clock.refresh(position.segment, segment.refreshes.length, runOptions.onProgress);
    const before = performance.now();
    waiting = true;
    try {
      await refreshRound(context, segment.refreshes, { segment: position.segment, attempt: attempt++ }, registers, runOptions);
    } finally {
      waiting = false;
    }
    for (const { from } of segment.refreshes) if (!needed[position.segment]?.has(from)) registers.release(from);
    const ms = performance.now() - before;
    clock.refreshed(ms);
    time.refresh += ms;
    refreshes += segment.refreshes.length;
  };
  const finish = async (runOptions: RunOptions): Promise<RunResult> => {
    const start = performance.now();
    try {
      for (; position.segment < program.segments.length; position = { segment: position.segment + 1, evaluated: false }) {
        const segment = program.segments[position.segment] ?? { instructions: [], refreshes: [] };
        if (!position.evaluated) await evaluate(segment, runOptions);
        if (segment.refreshes.length > 0) await refresh(segment, runOptions);
      }
    } finally {
      time.total += performance.now() - start;
    }
    // From here to the new state nothing waits: a run that was disposed of meanwhile has not changed it.
    throwIfAborted(disposal.signal, 'run');
    const outputs = sentOutputs(program)
      .flatMap(({ registers: own }) => own)
      .map((register) => {
        const frame = engine.save(registers.get(register));
        return context.outgoing?.output(frame) ?? frame;
      });
    const kept = (program.state ?? []).flatMap(({ output }) => program.outputs[output]?.registers ?? []);
    context.state?.replace(kept.map((register) => engine.clone(registers.get(register))));
    registers.releaseAll();
    return { outputs, layers: clock.times(), evaluateMs: time.total - time.refresh, refreshMs: time.refresh, refreshes };
  };

  return {
    async proceed(runOptions) {
      if (state !== 'ready') throw unavailable(state, 'proceed');
      clearTimeout(timer);
      if (result !== undefined) return result;
      state = 'running';
      try {
        const signals = runOptions.signal === undefined ? [disposal.signal] : [disposal.signal, runOptions.signal];
        result = await finish({ ...runOptions, signal: AbortSignal.any(signals) });
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
      if (result !== undefined || state === 'gone' || (state === 'running' && !waiting)) throw unavailable(state, 'save');
      return encodeRun(origin, engine, registers, { position, refreshes, totalMs: time.total, refreshMs: time.refresh });
    },
    get segment() {
      return position.segment;
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

async function runSegment<C, P>(
  { engine, constant }: RunContext<C, P>,
  segment: Segment,
  registers: RegisterFile<C>,
  dying: readonly (readonly number[])[],
  clock: LayerClock,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  const ahead = new Set<number>();
  const groups = engine.hoists ? rotationGroups(segment.instructions) : undefined;
  for (const [position, instruction] of segment.instructions.entries()) {
    // Whatever came in during the last operation is heard before the next one.
    await nextMacrotask();
    throwIfAborted(signal, 'run');
    clock.begin(instruction, onProgress);
    const group = groups?.get(position);
    if (group !== undefined) rotateGroup(group, segment, engine, registers);
    else if (!ahead.has(position)) interpret(instruction, engine, registers, constant);
    for (const done of group ?? []) ahead.add(done);
    for (const register of dying[position] ?? []) registers.release(register);
    clock.end(instruction);
  }
}

/** The rotations at `positions`, all of one register. */
function rotateGroup<C>(
  positions: readonly number[],
  { instructions }: Segment,
  engine: Engine<C, unknown>,
  registers: RegisterFile<C>,
): void {
  const rotations = positions.flatMap((position) => {
    const instruction = instructions[position];
    return instruction?.op === 'rotate' ? [instruction] : [];
  });
  const [first] = rotations;
  if (first === undefined) return;
  const rotated = engine.rotateMany(
    registers.get(first.a),
    rotations.map(({ steps }) => steps),
  );
  rotated.forEach((c, i) => {
    const out = rotations[i]?.out;
    if (out !== undefined) registers.set(out, c);
  });
}

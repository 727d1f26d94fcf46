import { lastUses, neededAfter } from '../program/liveness.js';
import { type Program, type Segment, sentOutputs } from '../program/program.js';
import { throwIfAborted } from '../turns.js';
import { evaluateSegment, type SegmentContext } from './evaluate_segment.js';
import { LayerClock } from './layer_clock.js';
import { refreshRound } from './refresh_round.js';
import type { RegisterFile } from './register_file.js';
import type { RunRecord } from './saved_run.js';
import type { RunOptions, RunResult } from './types.js';

/** What a run of a program works with. */
export interface RunContext<C, P> extends SegmentContext<C, P> {
  readonly program: Program;
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

/** How far a run is, and how it goes on. */
export interface Execution {
  readonly record: RunRecord;
  /** For what `refresh` resolves to: the registers are those of the border after `record.position`. */
  readonly waiting: boolean;
  /**
   * Evaluates to the end, from the last border that was reached. When it rejects, the registers are those of such a border.
   * @param disposed a run that was disposed of leaves no result and no state
   */
  finish(options: RunOptions, disposed: AbortSignal): Promise<RunResult>;
}

/** @param registers what `record.position` starts from; released at their last use, and all of them at the end */
export function createExecution<C, P>(context: RunContext<C, P>, record: RunRecord, registers: RegisterFile<C>): Execution {
  const { program } = context;
  const clock = new LayerClock(program);
  const dying = lastUses(program);
  const needed = neededAfter(program);
  let { position, refreshes, totalMs, refreshMs } = record;
  let attempt = 0;
  let waiting = false;

  const evaluate = async (segment: Segment, options: RunOptions): Promise<void> => {
    registers.mark();
    clock.enter(position.segment);
    try {
      if (context.runSegment !== undefined) await context.runSegment(position.segment, registers, clock, options);
      else await evaluateSegment(context, segment, registers, dying[position.segment] ?? [], clock, options);
    } catch (error) {
      registers.rollback();
      throw error;
    }
    registers.commit();
    position = { ...position, evaluated: true };
  };
  const refresh = async (segment: Segment, options: RunOptions): Promise<void> => {
    clock.refresh(position.segment, segment.refreshes.length, options.onProgress);
    const before = performance.now();
    waiting = true;
    try {
      await refreshRound(context, segment.refreshes, { segment: position.segment, attempt: attempt++ }, registers, options);
    } finally {
      waiting = false;
    }
    for (const { from } of segment.refreshes) if (!needed[position.segment]?.has(from)) registers.release(from);
    const ms = performance.now() - before;
    clock.refreshed(ms);
    refreshMs += ms;
    refreshes += segment.refreshes.length;
  };
  return {
    get record() {
      return { position, refreshes, totalMs, refreshMs };
    },
    get waiting() {
      return waiting;
    },
    async finish(options, disposed) {
      const start = performance.now();
      try {
        for (; position.segment < program.segments.length; position = { segment: position.segment + 1, evaluated: false }) {
          const segment = program.segments[position.segment] ?? { instructions: [], refreshes: [] };
          if (!position.evaluated) await evaluate(segment, options);
          if (segment.refreshes.length > 0) await refresh(segment, options);
        }
      } finally {
        totalMs += performance.now() - start;
      }
      // From here to the new state nothing waits: a run that was disposed of meanwhile has not changed it.
      throwIfAborted(disposed, 'run');
      const outputs = leave(context, registers);
      registers.releaseAll();
      return { outputs, layers: clock.times(), evaluateMs: totalMs - refreshMs, refreshMs, refreshes };
    },
  };
}

/** Hands the state on, and gives the outputs for the client. */
function leave<C, P>({ program, engine, outgoing, state }: RunContext<C, P>, registers: RegisterFile<C>): Uint8Array[] {
  const sent = sentOutputs(program).flatMap(({ registers: own }) => own);
  const outputs = sent.map((register) => {
    const frame = engine.save(registers.get(register));
    return outgoing?.output(frame) ?? frame;
  });
  const kept = (program.state ?? []).flatMap(({ output }) => program.outputs[output]?.registers ?? []);
  state?.replace(kept.map((register) => engine.clone(registers.get(register))));
  return outputs;
}

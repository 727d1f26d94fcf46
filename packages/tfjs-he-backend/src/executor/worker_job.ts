import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { Instruction } from '../program/program.js';
import type { LayerClock } from './layer_clock.js';
import type { RegisterFile } from './register_file.js';
import type { SegmentPlan } from './schedule.js';
import type { RunOptions } from './types.js';
import type { FromWorker } from './worker_messages.js';

/** The evaluation of a segment by all workers, as the thread sees it that asked for it. */
export interface Job {
  /** A value that comes home. */
  receive(message: Extract<FromWorker, { type: 'value' }>): void;
  /** An operation done, anywhere. */
  step(message: Extract<FromWorker, { type: 'step' }>): void;
  /** A worker has nothing more to do with the job. */
  end(error: HeError | undefined): void;
  /** Resolves when all workers have ended. */
  readonly ended: Promise<void>;
  /** What went wrong first. */
  readonly error: HeError | undefined;
}

export interface JobOptions<C> {
  readonly workers: number;
  readonly plan: SegmentPlan;
  readonly instructions: readonly Instruction[];
  /** Where values come home to. */
  readonly engine: Engine<C, unknown>;
  readonly registers: RegisterFile<C>;
  readonly clock: LayerClock;
  readonly onProgress: RunOptions['onProgress'];
  /** Tells the workers to stop: called once, at the first error. */
  readonly cancel: () => void;
}

export function createJob<C>({ workers, plan, instructions, engine, registers, clock, onProgress, cancel }: JobOptions<C>): Job {
  let left = workers;
  let error: HeError | undefined;
  let resolve = (): void => {};
  const ended = new Promise<void>((done) => {
    resolve = done;
  });
  const stop = (reason: unknown): void => {
    if (error !== undefined) return;
    error = reason instanceof HeError ? reason : new HeError('WORKER_FAILED', String(reason), { hint: 'Please report it as a bug.' });
    cancel();
  };
  return {
    receive({ key, bytes, level, scale }) {
      const register = plan.results.get(key);
      if (register === undefined || error !== undefined) return;
      try {
        registers.set(register, engine.fromPortable({ bytes, level, scale }));
      } catch (reason) {
        stop(reason);
      }
    },
    step({ position, ms }) {
      const instruction = instructions[position];
      if (instruction === undefined) return;
      clock.begin(instruction, onProgress);
      clock.end(instruction, ms);
    },
    end(reason) {
      if (reason !== undefined) stop(reason);
      left--;
      if (left === 0) resolve();
    },
    ended,
    get error() {
      return error;
    },
  };
}

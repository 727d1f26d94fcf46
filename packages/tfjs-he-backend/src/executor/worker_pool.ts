import type { Engine } from '../engines/engine.js';
import type { EngineRuntime } from '../engines/runtime.js';
import { neededAfter } from '../program/liveness.js';
import type { Program } from '../program/program.js';
import { serializeProgram } from '../program/serialize.js';
import { throwIfAborted } from '../turns.js';
import type { SegmentRunner } from './execution.js';
import { HOME, schedule } from './schedule.js';
import { createJob, type Job } from './worker_job.js';
import { errorFrom, type JobId, type MemoryLimits, type SessionId } from './worker_messages.js';
import { startWorkers } from './worker_threads.js';

/** Size of a pool, and where its code and its limits come from. */
export interface PoolOptions {
  /** Threads, 1 or more. */
  readonly count: number;
  /** Where the worker's code is, for bundles that moved it; default: beside spawn_worker.js. */
  readonly url?: URL | undefined;
  /** Most bytes of constants and keys in the memory of a thread (default: no limit). */
  readonly limits?: MemoryLimits | undefined;
  /** Of the mock engine's noise, which is another one in every thread. */
  readonly seed?: number | undefined;
}

/** Threads that evaluate segments together, each with an engine and keys of its own. */
export interface WorkerPool {
  /** Predicted gain over one thread, from the schedule alone. */
  readonly gain: number;
  /** Encodes the constants everywhere. */
  prepare(): Promise<void>;
  /** Loads a client's keys into every worker. @throws HeError WIRE_*. */
  open(keys: Uint8Array): Promise<SessionId>;
  close(session: SessionId): void;
  runner<C>(session: SessionId, engine: Engine<C, unknown>): SegmentRunner<C>;
  dispose(): void;
}

/** @throws HeError WORKER_FAILED (a thread could not start), and those of the engine's runtime. */
export async function createWorkerPool(
  program: Program,
  engine: EngineRuntime['name'],
  { count, url, limits, seed = 1 }: PoolOptions,
): Promise<WorkerPool> {
  const plans = schedule(program, count, engine === 'simd' ? 'simd' : 'seal');
  const needed = neededAfter(program);
  const jobs = new Map<JobId, Job>();
  let nextJob = 0;
  let nextSession = 0;
  const threads = startWorkers(count, url, {
    onMessage(_, message) {
      if (message.type === 'value' && message.to !== HOME) {
        const { to, ...value } = message;
        threads.send(to, value, [value.bytes.buffer as ArrayBuffer]); // transferred to us, so ours to give
        return;
      }
      const job = jobs.get(message.job);
      if (message.type === 'value') job?.receive(message);
      else if (message.type === 'step') job?.step(message);
      else job?.end(message.error === undefined ? undefined : errorFrom(message.error));
    },
    onFailure(failure) {
      for (const job of jobs.values()) for (let w = 0; w < count; w++) job.end(failure);
    },
  });
  const bytes = serializeProgram(program);
  try {
    await threads.askAll((index) => ({
      type: 'init',
      engine,
      program: bytes,
      index,
      count,
      seed: seed + index,
      ...(limits === undefined ? {} : { limits }),
    }));
  } catch (error) {
    threads.terminate();
    throw error;
  }

  const runner =
    <C>(session: SessionId, home: Engine<C, unknown>): SegmentRunner<C> =>
    async (segment, registers, clock, { signal, onProgress }) => {
      throwIfAborted(signal, 'run');
      if (threads.failure !== undefined) throw threads.failure;
      const plan = plans[segment];
      const { instructions = [], refreshes = [] } = program.segments[segment] ?? {};
      if (plan === undefined) return;
      const id = nextJob++;
      const cancel = (): void => threads.sendAll({ type: 'cancel', job: id });
      const job = createJob({ workers: count, plan, instructions, engine: home, registers, clock, onProgress, cancel });
      jobs.set(id, job);
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        threads.sendAll({ type: 'segment', job: id, session, segment });
        for (const { key, register, to } of plan.inputs) {
          const portable = home.toPortable(registers.get(register));
          for (const worker of to) threads.send(worker, { type: 'value', job: id, key, ...portable });
        }
        await job.ended;
      } catch (reason) {
        cancel(); // a value could not be sent
        await job.ended;
        throw reason;
      } finally {
        signal?.removeEventListener('abort', cancel);
        jobs.delete(id);
      }
      throwIfAborted(signal, 'run');
      if (job.error !== undefined) throw job.error;
      const kept = new Set([...(needed[segment] ?? []), ...refreshes.map(({ from }) => from)]);
      for (const { register } of plan.inputs) if (!kept.has(register)) registers.release(register);
    };

  const sum = (pick: (plan: (typeof plans)[number]) => number) => plans.reduce((total, plan) => total + pick(plan), 0);
  const close = (session: SessionId): void => threads.sendAll({ type: 'close', session });
  return {
    gain: sum(({ serialMs }) => serialMs) / sum(({ ms }) => ms),
    prepare: () => threads.askAll(() => ({ type: 'prepare' })),
    async open(keys) {
      const session = nextSession++;
      try {
        await threads.askAll(() => ({ type: 'open', session, keys }));
        return session;
      } catch (error) {
        close(session); // where it went well
        throw error;
      }
    },
    close,
    runner,
    dispose: threads.terminate,
  };
}

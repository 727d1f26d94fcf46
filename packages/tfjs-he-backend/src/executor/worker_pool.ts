import type { Engine } from '../engines/engine.js';
import type { EngineRuntime } from '../engines/runtime.js';
import { HeError } from '../errors.js';
import { neededAfter } from '../program/liveness.js';
import type { Program } from '../program/program.js';
import { serializeProgram } from '../program/serialize.js';
import { throwIfAborted } from '../turns.js';
import type { SegmentRunner } from './run.js';
import { HOME, schedule } from './schedule.js';
import { spawnWorker, type WorkerThread } from './spawn_worker.js';
import { errorFrom, type FromWorker, type JobId, type MemoryLimits, type SessionId, type ToWorker } from './worker_messages.js';

export interface PoolOptions {
  readonly count: number;
  readonly url?: URL | undefined;
  /** Most bytes of constants and keys in the memory of a thread (default: no limit). */
  readonly limits?: MemoryLimits | undefined;
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

interface Job {
  readonly receive: (message: Extract<FromWorker, { type: 'value' }>) => void;
  readonly step: (message: Extract<FromWorker, { type: 'step' }>) => void;
  readonly end: (worker: number, error: HeError | undefined) => void;
}

/** @throws HeError WORKER_FAILED (a thread could not start), and those of the engine's runtime. */
export async function createWorkerPool(
  program: Program,
  engine: EngineRuntime['name'],
  { count, url, limits }: PoolOptions,
): Promise<WorkerPool> {
  const plans = schedule(program, count, engine === 'simd' ? 'simd' : 'seal');
  const needed = neededAfter(program);
  const jobs = new Map<JobId, Job>();
  const replies: { resolve: () => void; reject: (error: unknown) => void }[][] = Array.from({ length: count }, () => []);
  let nextJob = 0;
  let nextSession = 0;
  let failure: HeError | undefined;
  let disposed = false;

  const fail = (cause: unknown): void => {
    if (disposed) return;
    failure ??= new HeError('WORKER_FAILED', 'a worker thread has ended', { op: 'worker', hint: 'Create the server again.', cause });
    for (const { reject } of replies.flat()) reject(failure);
    for (const job of jobs.values()) for (let w = 0; w < count; w++) job.end(w, failure);
  };
  const threads: WorkerThread[] = Array.from({ length: count }, () => spawnWorker(url));
  const send = (worker: number, message: ToWorker, transfer?: readonly ArrayBuffer[]): void => threads[worker]?.post(message, transfer);
  threads.forEach((thread, w) => {
    thread.onFailure(fail);
    thread.listen((message) => {
      if (message.type === 'reply') {
        const waiting = replies[w]?.shift();
        if (message.error === undefined) waiting?.resolve();
        else waiting?.reject(errorFrom(message.error));
        return;
      }
      if (message.type === 'value' && message.to !== HOME) {
        const { to, ...value } = message;
        send(to, value, [value.bytes.buffer as ArrayBuffer]); // transferred to us, so ours to give
        return;
      }
      const job = jobs.get(message.job);
      if (message.type === 'value') job?.receive(message);
      else if (message.type === 'step') job?.step(message);
      else job?.end(w, message.error === undefined ? undefined : errorFrom(message.error));
    });
  });
  const ask = (worker: number, message: ToWorker): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) reject(failure);
      replies[worker]?.push({ resolve, reject });
      send(worker, message);
    });
  const askAll = async (message: (index: number) => ToWorker): Promise<void> => {
    const results = await Promise.allSettled(threads.map((_, w) => ask(w, message(w))));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  const dispose = (): void => {
    disposed = true;
    for (const thread of threads) thread.terminate();
  };

  const bytes = serializeProgram(program);
  try {
    await askAll((index) => ({ type: 'init', engine, program: bytes, index, count, ...(limits === undefined ? {} : { limits }) }));
  } catch (error) {
    dispose();
    throw error;
  }

  const runner =
    <C>(session: SessionId, home: Engine<C, unknown>): SegmentRunner<C> =>
    async (segment, registers, clock, { signal, onProgress }) => {
      throwIfAborted(signal, 'run');
      if (failure !== undefined) throw failure;
      const plan = plans[segment];
      const { instructions = [], refreshes = [] } = program.segments[segment] ?? {};
      if (plan === undefined) return;
      const id = nextJob++;
      const cancel = (): void => {
        for (let w = 0; w < count; w++) send(w, { type: 'cancel', job: id });
      };
      let left = count;
      let error: HeError | undefined;
      const ended = new Promise<void>((resolve) => {
        const stop = (reason: unknown): void => {
          if (error === undefined) cancel();
          error ??=
            reason instanceof HeError ? reason : new HeError('WORKER_FAILED', String(reason), { hint: 'Please report it as a bug.' });
        };
        jobs.set(id, {
          receive({ key, bytes: frame, level, scale }) {
            const register = plan.results.get(key);
            try {
              if (register !== undefined && error === undefined) registers.set(register, home.fromPortable({ bytes: frame, level, scale }));
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
          end(_, reason) {
            if (reason !== undefined) stop(reason);
            left--;
            if (left === 0) resolve();
          },
        });
      });
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        for (let w = 0; w < count; w++) send(w, { type: 'segment', job: id, session, segment });
        for (const { key, register, to } of plan.inputs) {
          const portable = home.toPortable(registers.get(register));
          for (const w of to) send(w, { type: 'value', job: id, key, ...portable });
        }
        await ended;
      } catch (reason) {
        cancel(); // a value could not be sent
        await ended;
        throw reason;
      } finally {
        signal?.removeEventListener('abort', cancel);
        jobs.delete(id);
      }
      throwIfAborted(signal, 'run');
      if (error !== undefined) throw error;
      const kept = new Set([...(needed[segment] ?? []), ...refreshes.map(({ from }) => from)]);
      for (const { register } of plan.inputs) if (!kept.has(register)) registers.release(register);
    };

  const close = (session: SessionId): void => {
    for (let w = 0; w < count; w++) send(w, { type: 'close', session });
  };
  const sum = (pick: (plan: (typeof plans)[number]) => number) => plans.reduce((total, plan) => total + pick(plan), 0);
  return {
    gain: sum(({ serialMs }) => serialMs) / sum(({ ms }) => ms),
    prepare: () => askAll(() => ({ type: 'prepare' })),
    async open(keys) {
      const session = nextSession++;
      try {
        await askAll(() => ({ type: 'open', session, keys }));
        return session;
      } catch (error) {
        close(session); // where it went well
        throw error;
      }
    },
    close,
    runner,
    dispose,
  };
}

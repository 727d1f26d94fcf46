import { type AnyEngine, createEngineRuntime, type EngineRuntime } from '../engines/runtime.js';
import { HeError } from '../errors.js';
import { createParameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import { parseProgram } from '../program/serialize.js';
import { nextMacrotask } from '../turns.js';
import { ConstantCache } from './constants.js';
import { interpret } from './interpret.js';
import { RegisterFile } from './register_file.js';
import { HOME, type SegmentPlan, schedule, type ValueKey, type WorkerStep } from './schedule.js';
import {
  errorMessage,
  type FromWorker,
  type JobId,
  type Port,
  type SessionId,
  type ToWorker,
  type ValueMessage,
} from './worker_messages.js';

/** What a worker has made of `init`. */
interface Workplace {
  readonly index: number;
  readonly program: Program;
  readonly plans: readonly SegmentPlan[];
  readonly runtime: EngineRuntime;
  readonly constants: ConstantCache<unknown>;
  readonly sessions: Map<SessionId, AnyEngine>;
}

/** Values under way to a job, and its cancellation. */
interface Job {
  cancelled: boolean;
  readonly arrived: Map<ValueKey, ValueMessage>;
  readonly awaited: Map<ValueKey, (value: ValueMessage) => void>;
  cancel: () => void;
}

/** The life of a worker: one engine instance, which evaluates its share of the segments it is given. */
export function serveWorker(port: Port<FromWorker, ToWorker>): void {
  let place: Workplace | undefined;
  const jobs = new Map<JobId, Job>();
  const reply = async (work: () => void | Promise<void>): Promise<void> => {
    try {
      await work();
      port.post({ type: 'reply' });
    } catch (error) {
      port.post({ type: 'reply', error: errorMessage(error) });
    }
  };
  const ready = (): Workplace => {
    if (place !== undefined) return place;
    throw new HeError('WORKER_FAILED', 'the worker has no program', { op: 'worker', hint: 'Please report it as a bug.' });
  };

  port.listen((message) => {
    switch (message.type) {
      case 'init':
        void reply(async () => {
          place = await createWorkplace(message);
        });
        break;
      case 'prepare':
        void reply(() => prepare(ready()));
        break;
      case 'open':
        void reply(() => {
          const { sessions, runtime } = ready();
          sessions.set(message.session, runtime.open(message.keys));
        });
        break;
      case 'close':
        place?.sessions.get(message.session)?.close();
        place?.sessions.delete(message.session);
        break;
      case 'value': {
        // 'segment' comes before all values of a job, so an unknown one has ended.
        const job = jobs.get(message.job);
        const resolve = job?.awaited.get(message.key);
        if (resolve === undefined) job?.arrived.set(message.key, message);
        else resolve(message);
        break;
      }
      case 'cancel': {
        const job = jobs.get(message.job);
        if (job === undefined) break;
        job.cancelled = true;
        job.cancel();
        break;
      }
      case 'segment': {
        const job: Job = { cancelled: false, arrived: new Map(), awaited: new Map(), cancel() {} };
        jobs.set(message.job, job);
        runJob(port, ready(), message, job)
          .finally(() => jobs.delete(message.job))
          .then(
            () => port.post({ type: 'end', job: message.job }),
            (error: unknown) => port.post({ type: 'end', job: message.job, error: errorMessage(error) }),
          );
      }
    }
  });
}

/** This worker's share of a segment: every step as soon as its values are there. @throws HeError ABORTED, HANDLE_RELEASED, and those of the engine. */
async function runJob(
  port: Port<FromWorker, ToWorker>,
  { index, plans, constants, sessions }: Workplace,
  { job: id, session, segment }: Extract<ToWorker, { type: 'segment' }>,
  job: Job,
): Promise<void> {
  const engine = sessions.get(session);
  const steps = plans[segment]?.workers[index] ?? [];
  if (engine === undefined) throw new HeError('HANDLE_RELEASED', 'the session is closed', { op: 'worker', hint: 'Open another one.' });
  const registers = new RegisterFile(engine);
  try {
    for (const step of steps) {
      for (const { key, register } of step.imports) registers.set(register, engine.fromPortable(await arrival(job, key)));
      await nextMacrotask();
      if (job.cancelled) throw cancelled();
      const start = performance.now();
      interpret(step.instruction, engine, registers, (constant) => constants.get(constant) as never); // of the same runtime
      const ms = performance.now() - start;
      exportResult(port, engine, registers, id, step);
      for (const register of step.releases) registers.release(register);
      port.post({ type: 'step', job: id, position: step.position, ms });
    }
  } finally {
    registers.releaseAll();
  }
}

function cancelled(): HeError {
  return new HeError('ABORTED', 'cancelled by the caller', { op: 'run', hint: 'Start it again if that was not wanted.' });
}

function arrival(job: Job, key: ValueKey): Promise<ValueMessage> {
  const arrived = job.arrived.get(key);
  job.arrived.delete(key);
  if (arrived !== undefined) return Promise.resolve(arrived);
  return new Promise((resolve, reject) => {
    job.cancel = () => reject(cancelled());
    if (job.cancelled) job.cancel();
    job.awaited.set(key, resolve);
  });
}

function exportResult(
  port: Port<FromWorker, ToWorker>,
  engine: AnyEngine,
  registers: RegisterFile<ReturnType<AnyEngine['load']>>,
  job: JobId,
  { instruction, exports, key }: WorkerStep,
): void {
  if (exports.length === 0) return;
  const register = 'out' in instruction ? instruction.out : instruction.acc;
  const portable = engine.toPortable(registers.get(register));
  // Home last: its copy may be given away.
  for (const to of [...exports].sort((a, b) => b - a)) {
    const bytes = to === HOME || exports.length === 1 ? portable.bytes : portable.bytes.slice();
    port.post({ type: 'value', job, key, to, ...portable, bytes }, [bytes.buffer as ArrayBuffer]); // made by the engine, never shared
  }
}

async function createWorkplace({
  engine,
  program: bytes,
  index,
  count,
  seed,
  limits,
}: Extract<ToWorker, { type: 'init' }>): Promise<Workplace> {
  const program = parseProgram(bytes);
  const options = limits === undefined ? { seed } : { seed, keyMemoryBytes: limits.keys };
  const runtime = await createEngineRuntime(engine, createParameters(program.parameters), program.galoisSteps, options);
  const cacheLimits = limits === undefined ? undefined : { bytes: limits.constants, outsideBytes: 0 };
  const constants = new ConstantCache(program, runtime.openKeyless(), cacheLimits);
  return { index, program, plans: schedule(program, count, engine === 'simd' ? 'simd' : 'seal'), runtime, constants, sessions: new Map() };
}

/** Encodes the constants of this worker's steps. */
function prepare({ plans, index, constants }: Workplace): void {
  for (const { workers } of plans) {
    for (const { instruction } of workers[index] ?? []) if ('constant' in instruction && !constants.prepare(instruction.constant)) return;
  }
}

import { HeError } from '../errors.js';
import type { Heap } from './heap.js';
import type { Kernels } from './kernels.js';
import { canShareMemory, canSleep, spawnThread, type Thread } from './spawn_thread.js';

/** Kernels that tasks may call: all but those that return something or keep state. */
const OPERATIONS = [
  'forward',
  'forwardSubtractScale',
  'inverse',
  'add',
  'addScaled',
  'scale',
  'subtract',
  'subtractScale',
  'toCanonical',
  'toSymmetric',
  'liftFor',
  'permute',
  'sumOfProducts',
  'innerProducts',
] as const satisfies readonly (keyof Kernels)[];

export type TaskKernels = Pick<Kernels, (typeof OPERATIONS)[number]>;

/** A sequence of kernel calls. Tasks of one batch write to different places, and read none that another writes. */
export type Task = (kernels: TaskKernels) => void;

/** Runs batches of tasks. */
export interface TaskRunner {
  /** Of which tasks may run at the same time: what they use as scratch must not be shared if more than one. */
  readonly threads: number;
  /**
   * When it returns, all are done.
   * @throws HeError WORKER_FAILED: a thread was lost with a task that it had begun. Tasks work in place, so none is repeated: this runner and its heap are
   *   of no more use, and refuse all that is asked of them.
   */
  run(tasks: readonly Task[]): void;
  dispose(): void;
}

export function singleThread(kernels: Kernels): TaskRunner {
  return {
    threads: 1,
    run(tasks) {
      for (const task of tasks) task(kernels);
    },
    dispose() {},
  };
}

// A call is an operation and its arguments, padded; a task is a range of calls.
const CALL = 12;
const MOST_CALLS = 8192;
const MOST_TASKS = 1024;
// Words of the control block. Tasks are claimed by counting OPEN down: a worker that comes late finds it at 0 or below, or a new batch, which is complete by then.
const BATCH = 0;
const OPEN = 1;
const DONE = 2;
/** Not 0: a worker failed. */
const LOST = 3;
const CONTROL_WORDS = 16;
/** A runtime whose workers do not start in this time is left with one thread. */
const START_MS = 30_000;
/** A task takes less than a second. A thread that has done none in this time, with nobody else doing one, is not merely waiting for a processor. */
const STALL_MS = 60_000;
/** The longest that this thread sleeps before it looks again. Limits are counted in such sleeps, so that a time when the whole process stood still does not count. */
const NAP_MS = 10;

/** What a worker runs. It spins a little before it sleeps, since batches come in quick succession. */
const WORKER = `
const start = ({ module, memory, names, control, ends, calls }, ready) => WebAssembly.instantiate(module, { env: { memory } }).then(({ exports }) => {
  const functions = names.map((name) => exports[name]);
  const work = () => {
    for (;;) {
      const task = Atomics.sub(control, ${OPEN}, 1) - 1;
      if (task < 0) return;
      for (let at = task === 0 ? 0 : ends[task - 1]; at < ends[task]; at += ${CALL}) {
        functions[calls[at]](calls[at + 1], calls[at + 2], calls[at + 3], calls[at + 4], calls[at + 5], calls[at + 6], calls[at + 7], calls[at + 8], calls[at + 9], calls[at + 10], calls[at + 11]);
      }
      Atomics.add(control, ${DONE}, 1);
      Atomics.notify(control, ${DONE});
    }
  };
  let seen = Atomics.load(control, ${BATCH});
  ready();
  try {
    for (;;) {
      work();
      for (let i = 0; i < 20000 && Atomics.load(control, ${BATCH}) === seen; i++);
      Atomics.wait(control, ${BATCH}, seen);
      seen = Atomics.load(control, ${BATCH});
    }
  } catch {
    Atomics.store(control, ${LOST}, 1);
    Atomics.notify(control, ${DONE});
  }
});
`;

/** Writes calls of kernels to the shared list instead of making them. */
class Recorder {
  #at = 0;
  readonly kernels: TaskKernels;

  constructor(private readonly calls: Float64Array) {
    const record =
      (operation: number) =>
      (...args: number[]): void => {
        if (this.#at + CALL > calls.length) throw new RangeError('too many calls in a batch');
        calls[this.#at] = operation;
        for (let i = 0; i < CALL - 1; i++) calls[this.#at + 1 + i] = args[i] ?? 0;
        this.#at += CALL;
      };
    const recorders = OPERATIONS.map((name, operation) => [name, record(operation)] as const);
    // One function for every name of OPERATIONS, which is what TaskKernels has.
    this.kernels = Object.fromEntries(recorders) as Record<(typeof OPERATIONS)[number], (...args: number[]) => void>;
  }

  get end(): number {
    return this.#at;
  }

  /** Whether a long task still fits. */
  get roomy(): boolean {
    return this.#at <= this.calls.length / 2;
  }

  restart(): void {
    this.#at = 0;
  }
}

/**
 * This thread and `threads - 1` workers over one shared memory. undefined where they cannot share one (see canShareMemory), or do not start: use a single thread.
 * @param module the kernels, compiled for shared memory; @param kernels an instance of it on the heap's memory
 * @param stallMs milliseconds without a finished task after which a thread counts as lost
 */
export async function createThreads(
  threads: number,
  module: WebAssembly.Module,
  kernels: Kernels,
  heap: Heap,
  stallMs = STALL_MS,
): Promise<TaskRunner | undefined> {
  if (!canShareMemory() || threads < 2) return undefined;
  const sleeps = canSleep();
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
  const ends = new Int32Array(new SharedArrayBuffer(4 * MOST_TASKS));
  const calls = new Float64Array(new SharedArrayBuffer(8 * CALL * MOST_CALLS));
  const data = { module, memory: heap.memory, names: OPERATIONS, control, ends, calls };
  const starts = await Promise.allSettled(Array.from({ length: threads - 1 }, () => spawnThread(WORKER, data, START_MS)));
  const workers = starts.flatMap((start): Thread[] => (start.status === 'fulfilled' ? [start.value] : []));
  const terminate = (): void => {
    for (const worker of workers) worker.terminate();
  };
  if (workers.length < threads - 1) {
    terminate();
    return undefined;
  }

  const recorder = new Recorder(calls);
  const functions = OPERATIONS.map((name) => kernels[name] as (...args: number[]) => void); // called with what was recorded for them
  const call = (at: number): void => {
    const args = calls.subarray(at + 1, at + CALL);
    functions[calls[at] ?? 0]?.(...args);
  };
  const claim = (): number => Atomics.sub(control, OPEN, 1) - 1;
  let lost: HeError | undefined;
  /** A worker may still write where its task did until it has ended, so that memory is not given to anybody else. */
  const lose = (message: string): HeError => {
    terminate();
    lost = new HeError('WORKER_FAILED', message, { op: 'run', hint: 'Create the server again, with threads: 1 if it recurs.' });
    heap.condemn(lost);
    return lost;
  };
  /** Until the count of tasks that are done changes, or some time has passed: then true. */
  const nap = (done: number): boolean => {
    if (sleeps) return Atomics.wait(control, DONE, done, NAP_MS) === 'timed-out';
    const end = performance.now() + NAP_MS;
    while (performance.now() < end) if (Atomics.load(control, DONE) !== done) return false;
    return true;
  };
  /** Until the tasks that workers have claimed are done. No event tells of a worker's end while this thread waits. */
  const awaitClaimed = (tasks: number): void => {
    let done = Atomics.load(control, DONE);
    for (let spins = 0, idleMs = 0; done < tasks; spins++) {
      if (Atomics.load(control, LOST) !== 0) throw lose('a thread of the simd engine failed');
      if (spins > 10000 && nap(done)) idleMs += NAP_MS;
      if (idleMs > stallMs) throw lose(`no thread of the simd engine has finished a task for ${stallMs} ms`);
      const before = done;
      done = Atomics.load(control, DONE);
      if (done !== before) idleMs = 0;
    }
  };
  /** Runs the recorded tasks, this thread among the workers. */
  const execute = (tasks: number): void => {
    Atomics.store(control, DONE, 0);
    Atomics.store(control, OPEN, tasks);
    Atomics.add(control, BATCH, 1);
    Atomics.notify(control, BATCH);
    for (let task = claim(); task >= 0; task = claim()) {
      for (let at = task === 0 ? 0 : (ends[task - 1] ?? 0); at < (ends[task] ?? 0); at += CALL) call(at);
      Atomics.add(control, DONE, 1);
    }
    awaitClaimed(tasks);
  };
  return {
    threads,
    run(tasks) {
      if (lost !== undefined) throw lost;
      if (tasks.length < 2) {
        for (const task of tasks) task(kernels);
        return;
      }
      let recorded = 0;
      recorder.restart();
      for (const [i, task] of tasks.entries()) {
        task(recorder.kernels);
        ends[recorded++] = recorder.end;
        if (i < tasks.length - 1 && recorded < MOST_TASKS && recorder.roomy) continue;
        execute(recorded);
        recorder.restart();
        recorded = 0;
      }
    },
    dispose: terminate,
  };
}

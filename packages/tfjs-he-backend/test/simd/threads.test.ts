import { describe, expect, jest, test } from '@jest/globals';
import { createSimdEngine } from '../../src/engines/simd.js';
import { createSimdRuntime, type SimdRuntime } from '../../src/engines/simd_runtime.js';
import { HeError } from '../../src/errors.js';
import { Heap } from '../../src/simd/heap.js';
import { loadSharedKernels } from '../../src/simd/kernels.js';
import { createThreads, type TaskRunner } from '../../src/simd/threads.js';
import { smallParameters } from '../support/engine_pair.js';
import { randomSource } from '../support/random.js';

const parameters = smallParameters(1024, [50, 30, 50]);

/** Batches of additions of whole vectors, each to a place of its own, checked one after the other. */
function batches(runtime: SimdRuntime, count: number, seed: number): void {
  const { heap, runner } = runtime;
  const next = randomSource(seed);
  const n = 64;
  const places = Array.from({ length: 64 }, () => heap.allocate(8 * n));
  const a = heap.allocate(8 * n);
  const b = heap.allocate(8 * n);
  const p = parameters.primeAt(0);
  for (let batch = 0; batch < count; batch++) {
    const tasks = 2 + Math.floor(next() * 62);
    const calls = 1 + Math.floor(next() * 3);
    heap.doubles(a, n).fill(batch);
    heap.doubles(b, n).fill(1);
    runner.run(
      places.slice(0, tasks).map((at, i) => (kernels) => {
        kernels.add(at, a, b, n, p);
        for (let call = 1; call < calls + (i % 2); call++) kernels.add(at, at, b, n, p);
      }),
    );
    for (let i = 0; i < tasks; i++) {
      const expected = batch + Math.max(1, calls + (i % 2));
      if (heap.doubles(places[i]!, n).some((x) => x !== expected)) throw new Error(`batch ${batch}, task ${i} is wrong`);
    }
  }
}

describe('threads over one memory', () => {
  test('do every task of every batch, once, before the next batch begins', async () => {
    const runtime = await createSimdRuntime(parameters, { threads: 4 });
    expect(runtime.runner.threads).toBe(runtime.variant === 'fused' ? 4 : 1);
    batches(runtime, 1500, 51);
    runtime.dispose();
  });

  test('take batches of more tasks and calls than fit at once', async () => {
    const runtime = await createSimdRuntime(parameters, { threads: 2 });
    const { heap, runner } = runtime;
    const [one, sums] = [heap.allocate(32), Array.from({ length: 1500 }, () => heap.allocate(32))];
    heap.doubles(one, 4).fill(1);
    for (const at of sums) heap.doubles(at, 4).fill(0);
    runner.run(
      sums.map((at) => (kernels) => {
        for (let i = 0; i < 20; i++) kernels.add(at, at, one, 4, parameters.primeAt(0));
      }),
    );
    expect(sums.every((at) => heap.doubles(at, 4).every((x) => x === 20))).toBe(true);
    runtime.dispose();
  });

  test('see memory that was added after they started', async () => {
    const runtime = await createSimdRuntime(parameters, { threads: 2 });
    const { heap, runner } = runtime;
    const far = Array.from({ length: 8 }, () => heap.allocate(2 ** 25));
    for (const at of far) heap.doubles(at, 4).fill(3);
    runner.run(far.map((at) => (kernels) => kernels.add(at, at, at, 4, parameters.primeAt(0))));
    expect(far.map((at) => heap.doubles(at, 1)[0])).toEqual(far.map(() => 6));
    runtime.dispose();
  });

  test.each([0, 1.5, 65])('are not %d', async (threads) => {
    await expect(createSimdRuntime(parameters, { threads })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID' });
  });

  test('are not started for kernels without fused multiply-add', async () => {
    const runtime = await createSimdRuntime(parameters, { threads: 2, variant: 'plain' });
    expect(runtime.runner.threads).toBe(1);
    runtime.dispose();
  });
});

/** Kernels of a worker that fails at its first call: none. */
const NONE = [0, 97, 115, 109, 1, 0, 0, 0];
/** Kernels of a worker that never finishes its first task: (func (export "add") (loop (br 0))). */
const ENDLESS = [...NONE, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11];

/** This thread and a worker that got other kernels than it should. */
async function withWorkerOf(workerKernels: readonly number[], stallMs?: number): Promise<{ heap: Heap; runner: TaskRunner }> {
  const heap = new Heap(true);
  const { kernels } = await loadSharedKernels(heap.memory);
  const runner = await createThreads(2, new WebAssembly.Module(Uint8Array.from(workerKernels)), kernels, heap, stallMs);
  if (runner === undefined) throw new Error('no threads');
  return { heap, runner };
}

/** Repeats until the worker, too, has got something to do, which on a busy machine may take a while. */
function untilThrown(operation: () => void): unknown {
  const end = performance.now() + 20_000;
  try {
    while (performance.now() < end) operation();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a lost thread', () => {
  jest.setTimeout(30_000);

  /** Long enough for a worker to wake up. */
  const batch = ({ heap, runner }: { heap: Heap; runner: TaskRunner }) => {
    const n = 2 ** 15;
    const places = Array.from({ length: 16 }, () => heap.allocate(8 * n));
    return () => runner.run(places.map((at) => (kernels) => kernels.add(at, at, at, n, parameters.primeAt(0))));
  };

  test('that never finishes its task is noticed after the limit', async () => {
    const threads = await withWorkerOf(ENDLESS, 300);
    expect(untilThrown(batch(threads))).toMatchObject({
      code: 'WORKER_FAILED',
      message: expect.stringContaining('300 ms'),
      hint: expect.stringContaining('threads: 1'),
    });
    threads.runner.dispose();
  });

  test('that fails is noticed at once', async () => {
    const threads = await withWorkerOf(NONE);
    expect(untilThrown(batch(threads))).toMatchObject({ code: 'WORKER_FAILED', message: expect.stringContaining('failed') });
    threads.runner.dispose();
  });

  test('leaves a runner and a heap that refuse work, since it may still write there', async () => {
    const threads = await withWorkerOf(NONE);
    const run = batch(threads);
    const error = untilThrown(run) as Error;
    expect(error).toBeInstanceOf(HeError);
    expect(run).toThrow(error);
    expect(() => threads.runner.run([() => {}])).toThrow(error);
    expect(() => threads.heap.allocate(8)).toThrow(error);
    threads.runner.dispose();
  });

  test('leaves nothing in the ledger once handles, engine and runtime are released', async () => {
    const runtime = await createSimdRuntime(parameters);
    const engine = createSimdEngine(runtime, undefined);
    const polynomials = [0, 1].map(() => [new Float64Array(1024).fill(5), new Float64Array(1024).fill(7)]);
    const a = engine.load(runtime.frames.writeCiphertext({ scale: 1, polynomials }, 1), 1);
    // As threads fail: in the middle of an operation, and for good.
    const error = new HeError('WORKER_FAILED', 'a thread failed', { hint: 'Try again.' });
    jest.spyOn(runtime.runner, 'run').mockImplementation(() => {
      runtime.heap.condemn(error);
      throw error;
    });
    for (const operation of [() => engine.add(a, a), () => engine.negate(a), () => engine.save(a)]) {
      expect(operation).toThrow(error);
    }
    engine.dispose(a);
    engine.close();
    runtime.dispose();
    expect(runtime.ledger.total()).toEqual({ count: 0, bytes: 0 });
  });
});

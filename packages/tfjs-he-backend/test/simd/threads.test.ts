import { describe, expect, test } from '@jest/globals';
import { createSimdRuntime, type SimdRuntime } from '../../src/engines/simd_runtime.js';
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

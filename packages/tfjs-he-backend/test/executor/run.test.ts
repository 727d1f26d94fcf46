import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createEmptyEngine } from '../../src/engines/empty.js';
import { createRun } from '../../src/executor/run.js';
import type { KeepOptions, ProgressEvent, Run, RunOptions } from '../../src/executor/types.js';
import type { TensorNode } from '../../src/graph/node.js';
import { evaluateGraph, type Program } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { unpack } from '../../src/wire/layout.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

const x = randomValues(8, 5);
let graph: TensorNode[];
let program: Program;
beforeAll(async () => {
  graph = await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 3 });
  program = compileSmall(graph);
});

describe('a run', () => {
  /** Names of the engine's operations so far. */
  let ops: string[];
  let watch: (op: string) => void;
  beforeEach(() => {
    ops = [];
    watch = () => {};
  });
  const open = (keep?: KeepOptions, of = program) => {
    const engine = createEmptyEngine(createParameters(program.parameters), {
      galoisSteps: program.galoisSteps,
      observe(op) {
        ops.push(op);
        watch(op);
      },
    });
    const constants = program.constants.map(({ level, scale }) => engine.encode(new Float64Array(engine.parameters.slots), level, scale));
    ops = [];
    const constant = (id: number) => constants[id]!;
    const before = engine.ledger.of('ciphertext');
    const run = createRun({ program: of, engine, constant, maskKey: new Uint8Array(32), runId: 'r' }, [new Uint8Array(0)], keep);
    return { run, engine, before };
  };
  const refresh: RunOptions['refresh'] = async (ciphertexts) => ciphertexts;
  const failing: RunOptions['refresh'] = async () => {
    throw new Error('the socket is gone');
  };
  const computed = () => ops.filter((op) => !['load', 'save', 'mask', 'unmask'].includes(op));
  const uninterrupted = async () => {
    const { run } = open();
    await run.proceed({ refresh });
    const all = computed();
    run.dispose();
    ops = [];
    return all;
  };
  const settled = (run: Run, options: RunOptions) => run.proceed(options).catch((error: unknown) => error);

  test('whose client goes away during a refresh asks again, and computes nothing twice', async () => {
    const all = await uninterrupted();
    const { run, engine, before } = open();
    for (let i = 0; i < 3; i++) expect(await settled(run, { refresh: failing })).toMatchObject({ message: 'the socket is gone' });
    expect(run).toMatchObject({ state: 'ready', segment: 0 });
    const result = await run.proceed({ refresh });
    expect(computed()).toEqual(all);
    expect(result.refreshes).toBe(program.segments.reduce((sum, { refreshes }) => sum + refreshes.length, 0));
    run.dispose();
    expect(engine.ledger.of('ciphertext')).toEqual(before);
  });

  test('asks a repeated round under other masks', async () => {
    const pair = await openPair(program, 'mock');
    const run = pair.session.start(pair.encrypt(x));
    const seen: string[] = [];
    const once = async (ciphertexts: Uint8Array[]): Promise<Uint8Array[]> => {
      // A mock frame names its mask after the header and a flag.
      seen.push(...ciphertexts.map((frame) => Buffer.from(frame.subarray(21, 53)).toString('hex')));
      throw new Error('lost');
    };
    for (let i = 0; i < 3; i++) await settled(run, { refresh: once });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(3 * program.segments[0]!.refreshes.length);
    pair.dispose();
  });

  test('that is aborted inside a segment starts that segment again from its inputs', async () => {
    const all = await uninterrupted();
    const { run } = open();
    const controller = new AbortController();
    watch = () => {
      if (run.segment === 1 && computed().length > all.length / 2) controller.abort();
    };
    expect(await settled(run, { refresh, signal: controller.signal })).toMatchObject({ code: 'ABORTED' });
    watch = () => {};
    expect(run.segment).toBe(1);
    const first = computed().length;
    ops = [];
    await run.proceed({ refresh });
    const again = computed();
    expect(all.slice(all.length - again.length)).toEqual(again);
    expect(first).toBeGreaterThan(all.length - again.length);
  });

  test('that is aborted executes no operation after the one under way', async () => {
    const { run } = open();
    const controller = new AbortController();
    let under = -1;
    watch = (op) => {
      if (op !== 'rotate' || under >= 0) return;
      under = ops.length;
      // Arrives from outside while the operation runs, as a message of a socket would.
      setImmediate(() => controller.abort());
    };
    expect(await settled(run, { refresh, signal: controller.signal })).toMatchObject({ code: 'ABORTED' });
    expect(under).toBeGreaterThan(0);
    expect(ops.length).toBe(under);
  });

  test('gives its result again when the answer was lost', async () => {
    const { run } = open();
    const result = await run.proceed({ refresh });
    expect(await run.proceed({ refresh })).toBe(result);
    expect(run.bytes).toBe(0);
  });

  test('keeps the bytes of the ciphertexts at the border, and no more', async () => {
    const { run, engine } = open();
    await settled(run, { refresh: failing });
    expect(run.bytes).toBe(engine.ledger.of('ciphertext').bytes);
    expect(run.bytes).toBeGreaterThan(0);
  });

  test('is given up at once where it would keep too much', async () => {
    const { run, engine, before } = open({ keepBytes: 1000 });
    await settled(run, { refresh: failing });
    expect(run).toMatchObject({ state: 'gone', bytes: 0 });
    expect(engine.ledger.of('ciphertext')).toEqual(before);
    await expect(run.proceed({ refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
  });

  test('is given up when nobody comes back in time', async () => {
    const { run, engine, before } = open({ keepMs: 5 });
    await settled(run, { refresh: failing });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(run.state).toBe('gone');
    expect(engine.ledger.of('ciphertext')).toEqual(before);
  });

  test('cannot be proceeded with twice at a time', async () => {
    const { run } = open();
    const first = run.proceed({ refresh });
    await expect(run.proceed({ refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
    await first;
  });

  test('that is disposed of while it computes ends and releases everything', async () => {
    const { run, engine, before } = open();
    const under = settled(run, { refresh });
    await new Promise((resolve) => setImmediate(resolve));
    run.dispose();
    expect(await under).toMatchObject({ code: 'ABORTED' });
    expect(engine.ledger.of('ciphertext')).toEqual(before);
  });

  test('reports layer, level, done of total and the time left, which ends near zero', async () => {
    const { run } = open();
    const events: ProgressEvent[] = [];
    await run.proceed({ refresh, onProgress: (event) => events.push(event) });
    const layers = events.flatMap((event) => (event.type === 'layer' ? [event] : []));
    const total = program.segments.reduce((sum, { instructions }) => sum + instructions.length, 0);
    for (const { name, level, done, total: of, remainingMs } of layers) {
      expect(program.layers).toContain(name);
      expect(level).toBeGreaterThan(0);
      expect(of).toBe(total);
      expect(done).toBeLessThan(total);
      expect(remainingMs).toBeGreaterThan(0);
    }
    const last = events.findLast((event) => event.type === 'layerEnd');
    expect(last!.remainingMs).toBeLessThan(layers[0]!.remainingMs);
  });

  test('reports every layer once at its start and once at its end, with its time', async () => {
    const dealtOut = program.segments.map(({ instructions, refreshes }) => ({
      instructions: instructions.map((instruction, i) => ({ ...instruction, layer: i % 3 })),
      refreshes,
    }));
    const { run } = open({}, { ...program, layers: ['a', 'b', 'c'], segments: dealtOut });
    const events: ProgressEvent[] = [];
    const result = await run.proceed({ refresh, onProgress: (event) => events.push(event) });
    for (const type of ['layer', 'layerEnd'] as const) {
      const names = events.flatMap((event) => (event.type === type ? [event.name] : []));
      expect([...names].sort()).toEqual(['a', 'b', 'c']);
    }
    const ends = events.flatMap((event) => (event.type === 'layerEnd' ? [event] : []));
    for (const { name, ms } of ends) expect(ms).toBe(result.layers.find((layer) => layer.name === name)!.ms);
    expect(ends.at(-1)).toMatchObject({ done: ends[0]!.total, fraction: expect.closeTo(1) });
  });

  test('reports progress that never goes back and no layer twice, even if a segment is evaluated twice', async () => {
    const { run } = open();
    const events: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent) => events.push(event);
    const controller = new AbortController();
    watch = () => {
      if (run.segment === 1 && computed().length % 50 === 49) controller.abort();
    };
    expect(await settled(run, { refresh, onProgress, signal: controller.signal })).toMatchObject({ code: 'ABORTED' });
    watch = () => {};
    await run.proceed({ refresh, onProgress });
    const seen = events.flatMap((event) => (event.type === 'refresh' ? [] : [event]));
    for (const [i, { done, fraction }] of seen.entries()) {
      expect(done).toBeGreaterThanOrEqual(seen[i - 1]?.done ?? 0);
      expect(fraction).toBeGreaterThanOrEqual(seen[i - 1]?.fraction ?? 0);
    }
    const begun = seen.flatMap(({ type, name }) => (type === 'layer' ? [name] : []));
    expect(new Set(begun).size).toBe(begun.length);
  });
});

test('a real run that is interrupted at every refresh and in between agrees with the clear graph', async () => {
  const pair = await openPair(program, 'seal');
  const run = pair.session.start(pair.encrypt(x));
  const { slots } = pair.client.parameters;
  const dropped = new Set<number>();
  const options = (signal?: AbortSignal): RunOptions => ({
    ...(signal === undefined ? {} : { signal }),
    async refresh(ciphertexts, { segment }) {
      if (dropped.has(segment)) return pair.client.refresh(ciphertexts);
      dropped.add(segment);
      throw new Error('the socket is gone');
    },
  });
  const early = new AbortController();
  setTimeout(() => early.abort(), 50);
  await run.proceed(options(early.signal)).catch(() => {});
  let result: Awaited<ReturnType<Run['proceed']>> | undefined;
  while (result === undefined) result = await run.proceed(options()).catch(() => undefined);
  const [expected] = evaluateGraph(graph, new Map([['input', x]]));
  const logits = unpack(pair.client.decrypt(result.outputs), pair.server.manifest.outputs[0]!, slots);
  expect(bitsOfAgreement(logits, expected!)).toBeGreaterThan(12);
  expect(dropped.size).toBe(program.segments.length - 1);
  run.dispose();
  pair.dispose();
  expect(pair.session.ledger.total()).toEqual({ count: 0, bytes: 0 });
});

import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import type { RunOptions } from '../../src/executor/types.js';
import { type Program, traceFunction } from '../../src/index.js';
import { createServer, type Sequence, type Session } from '../../src/server/index.js';
import { pack } from '../../src/wire/layout.js';
import { createMutator, mutateJson } from '../support/mutate.js';
import { randomSource, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { expectedOutputs, largestError, STATE, traceShiftRegister, WIDTH } from '../support/shift_register.js';
import { compileSmall } from '../support/small_ring.js';

const inputs = Array.from({ length: 6 }, (_, t) => randomValues(WIDTH, 40 + t, 0.8));
const expected = expectedOutputs(inputs);
let program: Program;
beforeAll(async () => {
  program = compileSmall(await traceShiftRegister(), { state: STATE });
});

type Pair = Awaited<ReturnType<typeof openPair>>;
const refreshOf =
  ({ client }: Pair): RunOptions['refresh'] =>
  async (sent) =>
    client.refresh(sent);
const begin = ({ session, zeros }: Pair): Sequence => session.sequence(zeros(Object.keys(STATE).length));

async function step(pair: Pair, sequence: Sequence, t: number): Promise<number> {
  const { outputs } = await sequence.run(pair.encrypt(inputs[t]!), { refresh: refreshOf(pair) });
  return largestError(pair.decrypt(outputs), expected[t]!);
}

/** A server process other than that of the pair, with the same client's keys. */
async function elsewhere(pair: Pair, use: (session: Session) => Promise<void>): Promise<void> {
  const server = await createServer(program, { engine: pair.server.engine });
  const session = await server.openSession(pair.keys);
  await use(session);
  session.dispose();
  server.dispose();
  expect(session.ledger.total()).toEqual({ count: 0, bytes: 0 });
}

/** A sequence after `t` runs, whose next one has come to its first refresh. */
async function savedAtRefresh(pair: Pair, t: number): Promise<Uint8Array> {
  const sequence = begin(pair);
  for (let i = 0; i < t; i++) await step(pair, sequence, i);
  let saved = new Uint8Array(0);
  const lost: RunOptions['refresh'] = async () => {
    saved = sequence.save() as Uint8Array<ArrayBuffer>;
    throw new Error('the process ends');
  };
  const run = sequence.start(pair.encrypt(inputs[t]!));
  await run.proceed({ refresh: lost }).catch(() => {});
  sequence.dispose();
  return saved;
}

describe.each(['mock', 'seal', 'simd'] as const)('a saved sequence of engine %s', (engine) => {
  test('goes on in another process, between two runs', async () => {
    const pair = await openPair(program, engine);
    const first = begin(pair);
    for (let t = 0; t < 2; t++) await step(pair, first, t);
    const saved = first.save();
    await elsewhere(pair, async (session) => {
      const second = session.restoreSequence(saved);
      expect(second).toMatchObject({ length: 2, pending: undefined });
      expect(await step(pair, second, 2)).toBeLessThan(1e-3);
      expect(second.length).toBe(3);
    });
    pair.dispose();
  });

  test('goes on in another process with the run that waited for its refreshes', async () => {
    const pair = await openPair(program, engine);
    const saved = await savedAtRefresh(pair, 1);
    await elsewhere(pair, async (session) => {
      const sequence = session.restoreSequence(saved);
      expect(sequence).toMatchObject({ length: 1, pending: { state: 'ready', segment: 0 } });
      const { outputs } = await sequence.pending!.proceed({ refresh: refreshOf(pair) });
      expect(largestError(pair.decrypt(outputs), expected[1]!)).toBeLessThan(1e-3);
      expect(sequence).toMatchObject({ length: 2, pending: undefined });
      expect(await step(pair, sequence, 2)).toBeLessThan(1e-3);
    });
    pair.dispose();
  });
});

describe('a run of a sequence', () => {
  test('that is interrupted goes on, and is what the next one begins with', async () => {
    const pair = await openPair(program, 'mock');
    const sequence = begin(pair);
    const run = sequence.start(pair.encrypt(inputs[0]!));
    await expect(run.proceed({ refresh: () => Promise.reject(new Error('gone')) })).rejects.toThrow('gone');
    expect(sequence.pending).toBe(run);
    expect(() => sequence.start(pair.encrypt(inputs[1]!))).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
    await run.proceed({ refresh: refreshOf(pair) });
    expect(sequence).toMatchObject({ length: 1, pending: undefined });
    expect(await step(pair, sequence, 1)).toBeLessThan(1e-3);
    pair.dispose();
  });

  test('that is disposed of changes nothing, not even in its last operation', async () => {
    const pair = await openPair(program, 'mock');
    const sequence = begin(pair);
    const run = sequence.start(pair.encrypt(inputs[1]!));
    const ended = run.proceed({
      refresh: refreshOf(pair),
      onProgress: (event) => {
        if (event.type === 'layerEnd' && event.done === event.total) run.dispose();
      },
    });
    await expect(ended).rejects.toMatchObject({ code: 'ABORTED' });
    expect(sequence).toMatchObject({ length: 0, pending: undefined });
    expect(await step(pair, sequence, 0)).toBeLessThan(1e-3);
    pair.dispose();
  });

  test('cannot be saved while it evaluates, nor restored without its sequence', async () => {
    const pair = await openPair(program, 'mock');
    const sequence = begin(pair);
    const run = sequence.start(pair.encrypt(inputs[0]!));
    const saved = run.save();
    expect(() => pair.session.restore(saved)).toThrow(
      expect.objectContaining({ code: 'RUN_UNAVAILABLE', message: expect.stringContaining('restoreSequence') }),
    );
    const ended = run.proceed({ refresh: refreshOf(pair) });
    expect(() => sequence.save()).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
    await ended;
    sequence.dispose();
    expect(() => sequence.save()).toThrow(
      expect.objectContaining({ code: 'RUN_UNAVAILABLE', message: expect.stringMatching(/disposed of/) }),
    );
    pair.dispose();
  });

  test('and its sequence, restored twice, are two that know nothing of each other', async () => {
    const pair = await openPair(program, 'mock');
    const saved = await savedAtRefresh(pair, 0);
    const [a, b] = [pair.session.restoreSequence(saved), pair.session.restoreSequence(saved)];
    for (const { pending } of [a, b]) await pending!.proceed({ refresh: refreshOf(pair) });
    a.dispose();
    expect(await step(pair, b, 1)).toBeLessThan(1e-3);
    pair.dispose();
  });
});

describe('what is restored as a sequence is refused', () => {
  test('when it is of another program, or under other keys', async () => {
    const pair = await openPair(program, 'mock');
    const saved = begin(pair).save();
    const other = { ...program, constants: program.constants.map((c, i) => (i === 0 ? { ...c, values: c.values.map((v) => v + 1) } : c)) };
    const refused = expect.objectContaining({ code: 'WIRE_PARAMETERS_MISMATCH', op: 'restore' });
    const foreign = await openPair(other, 'mock');
    expect(() => foreign.session.restoreSequence(saved)).toThrow(refused);
    const simd = await openPair(program, 'simd');
    expect(() => simd.session.restoreSequence(saved)).toThrow(refused);
    for (const each of [pair, foreign, simd]) each.dispose();
  });

  test('when the program keeps nothing from run to run', async () => {
    const pair = await openPair(compileSmall(await traceShiftRegister()), 'mock');
    expect(() => pair.session.restoreSequence(new Uint8Array(8))).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
    pair.dispose();
  });

  test('when it is damaged, with a typed error, and leaves nothing behind', async () => {
    const pair = await openPair(program, 'mock');
    const [between, within] = [begin(pair), await savedAtRefresh(pair, 0)];
    const saved = [between.save(), within, within.slice(0, 3000)];
    between.dispose();
    const damaged = createMutator(saved, 7);
    const random = randomSource(8);
    const codes = new Map<string, number>();
    const before = pair.session.ledger.total();
    for (let i = 0; i < 600; i++) {
      try {
        pair.session.restoreSequence(i % 2 > 0 ? withHeader(within, (header) => mutateJson(header, random)) : damaged.next()).dispose();
      } catch (error) {
        const { code } = error as { code: string };
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    }
    for (const code of codes.keys()) expect(code).toMatch(/^WIRE_/);
    expect(codes.size).toBeGreaterThan(2);
    expect([...codes.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThan(400);
    expect(pair.session.ledger.total()).toEqual(before);
    pair.dispose();
  });
});

function withHeader(saved: Uint8Array, change: (header: unknown) => unknown): Uint8Array {
  const length = new DataView(saved.buffer, saved.byteOffset).getUint32(4, true);
  const header = change(JSON.parse(new TextDecoder().decode(saved.subarray(8, 8 + length))));
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(saved.length - length + json.length);
  out.set(saved.subarray(0, 8));
  new DataView(out.buffer).setUint32(4, json.length, true);
  out.set(json, 8);
  out.set(saved.subarray(8 + length), 8 + json.length);
  return out;
}

describe('state of several ciphertexts', () => {
  const shape = [3, 256]; // 768 values, 512 slots
  const xs = [1, 2, 3].map((t) => randomValues(768, t, 0.8));

  /** A decaying sum of the inputs, of which the client gets the mean square of every column. */
  async function compileDecay(): Promise<Program> {
    const graph = await traceFunction(
      (tensors) => {
        const [x, sum] = tensors as [tf.Tensor, tf.Tensor];
        const next = tf.add(tf.mul(sum, 0.5), x);
        return [tf.mean(tf.square(next), 0), next];
      },
      ['x', 'sum'].map((name) => ({ name, shape })),
    );
    return compileSmall(graph, { state: { sum: 1 } });
  }

  test.each(['mock', 'simd'] as const)('goes on from run to run, and is saved and restored whole, on %s', async (engine) => {
    const decay = await compileDecay();
    const pair = await openPair(decay, engine);
    const {
      inputs: [layout],
      state,
    } = pair.server.manifest;
    expect([layout!.ciphertexts, state![0]!.ciphertexts]).toEqual([2, 2]);
    let sequence = pair.session.sequence(pair.zeros(2));
    const sum = new Float64Array(768);
    for (const x of xs) {
      x.forEach((v, i) => {
        sum[i] = sum[i]! / 2 + v;
      });
      const ciphertexts = pair.client.encrypt(pack(x, layout!, pair.client.parameters.slots));
      const { outputs } = await sequence.run(ciphertexts, { refresh: refreshOf(pair) });
      const means = Array.from({ length: 256 }, (_, j) => (sum[j]! ** 2 + sum[j + 256]! ** 2 + sum[j + 512]! ** 2) / 3);
      expect(largestError(pair.decrypt(outputs), means)).toBeLessThan(1e-3);
      const restored = pair.session.restoreSequence(sequence.save());
      sequence.dispose();
      sequence = restored;
    }
    expect(sequence.length).toBe(3);
    pair.dispose();
    expect(pair.session.ledger.total()).toEqual({ count: 0, bytes: 0 });
  });

  test('needs every one of them to begin with', async () => {
    const pair = await openPair(await compileDecay(), 'mock');
    expect(() => pair.session.sequence(pair.zeros(1))).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED', op: 'sequence' }));
    pair.dispose();
  });
});

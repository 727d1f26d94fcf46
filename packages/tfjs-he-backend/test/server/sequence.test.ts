import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { createClient } from '../../src/client/create_client.js';
import type { TensorNode } from '../../src/graph/node.js';
import { compileGraph, type Program, parseProgram, serializeProgram, traceFunction } from '../../src/index.js';
import { createServer, type Sequence, type Session } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { randomValues } from '../support/random.js';

const ROWS = 4;
const WIDTH = 3;
const W = randomValues(WIDTH * WIDTH, 2, 0.5);
const STATE = { cache: 1, row: 2 };

/** A shift register of what W makes of the inputs, and the squares of its sum: `row` is deep, `cache` takes no level. */
function step(x: tf.Tensor, cache: tf.Tensor, row: tf.Tensor): tf.Tensor[] {
  const sum = tf.add(cache, row);
  const moved = tf.concat([tf.slice(sum, [ROWS - 1, 0], [1, WIDTH]), tf.slice(sum, [0, 0], [ROWS - 1, WIDTH])], 0);
  const first = tf.tensor2d([1, ...new Array<number>(ROWS - 1).fill(0)], [ROWS, 1]);
  const y = tf.matMul(tf.square(tf.reshape(x, [1, WIDTH])), tf.tensor2d(Float32Array.from(W), [WIDTH, WIDTH]));
  const next = tf.sub(tf.mul(first, y), tf.mul(first, moved));
  const held = tf.add(tf.mul(tf.sub(1, first), moved), tf.mul(first, y));
  return [tf.square(tf.sum(held, 0)), moved, next];
}

/** Outputs for inputs one after the other, in the clear: each of the last inputs counts. */
function expectedOutputs(inputs: readonly Float64Array[]): number[][] {
  const mapped = inputs.map((x) =>
    Array.from({ length: WIDTH }, (_, j) => x.reduce((sum, v, i) => sum + v * v * (W[i * WIDTH + j] ?? 0), 0)),
  );
  return mapped.map((_, t) =>
    Array.from(
      { length: WIDTH },
      (_unused, j) => mapped.slice(Math.max(0, t - ROWS + 1), t + 1).reduce((sum, y) => sum + (y[j] ?? 0), 0) ** 2,
    ),
  );
}

let graph: TensorNode[];
let program: Program;
beforeAll(async () => {
  const shapes = { x: [WIDTH], cache: [ROWS, WIDTH], row: [ROWS, WIDTH] };
  graph = await traceFunction(
    (inputs) => step(...(inputs as [tf.Tensor, tf.Tensor, tf.Tensor])),
    Object.entries(shapes).map(([name, shape]) => ({ name, shape })),
  );
  program = compileGraph(graph, { polyModulusDegrees: [8192], state: STATE });
});

describe('compiling with state', () => {
  test('leaves state out of what the client sends and gets', async () => {
    const server = await createServer(program, { engine: 'mock' });
    expect(server.manifest).toMatchObject({ version: 2, inputs: [{ name: 'x' }], outputs: [{ name: 'output_0' }] });
    expect(server.manifest.state?.map(({ name }) => name).sort()).toEqual(['cache', 'row']);
    server.dispose();
  });

  test('survives serialisation', () => {
    expect(parseProgram(serializeProgram(program))).toEqual(program);
  });

  test('a program file whose state has two layouts is refused', () => {
    const wrong = { ...program, state: [{ input: program.inputs.findIndex(({ layout }) => layout.name === 'x'), output: 1 }] };
    expect(() => parseProgram(serializeProgram(wrong))).toThrow(/a state has two layouts/);
  });

  test.each([
    [{ hidden: 1 }, /no output depends on an input 'hidden'/],
    [{ cache: 3 }, /state 'cache' is output 3/],
    [{ cache: 1, row: 1 }, /state 'row' is output 1/],
    [{ x: 1 }, /state 'x' has shape \[3\], output 1 \[4, 3\]/],
  ])('refuses %j', (state, message) => {
    expect(() => compileGraph(graph, { polyModulusDegrees: [8192], state })).toThrow(message);
  });

  test('refuses a program that tells the client nothing', () => {
    expect(() => compileGraph(graph.slice(1), { polyModulusDegrees: [8192], state: { cache: 0, row: 1 } })).toThrow(
      /all outputs are state/,
    );
  });
});

for (const engine of ['mock', 'seal', 'simd'] as const) {
  describe(`a sequence on ${engine}`, () => {
    const inputs = Array.from({ length: 7 }, (_, t) => randomValues(WIDTH, 40 + t, 0.8));
    let client: Awaited<ReturnType<typeof createClient>>;
    let server: Awaited<ReturnType<typeof createServer>>;
    let session: Session;
    beforeAll(async () => {
      server = await createServer(program, { engine });
      client = await createClient(JSON.parse(JSON.stringify(server.manifest)), { engine: engine === 'mock' ? 'mock' : 'seal' });
      session = await server.openSession(await client.evaluationKeys());
    });
    afterAll(() => {
      session.dispose();
      server.dispose();
      client.dispose();
    });

    const zeros = (): Uint8Array[] => client.encrypt((client.manifest.state ?? []).map(() => new Float64Array(client.parameters.slots)));
    const encrypted = (x: Float64Array): Uint8Array[] => client.encrypt(pack(x, client.manifest.inputs[0]!, client.parameters.slots));
    const refresh = async (sent: readonly Uint8Array[]) => client.refresh(sent);
    const runStep = async (sequence: Sequence, x: Float64Array): Promise<number[]> => {
      const { outputs } = await sequence.run(encrypted(x), { refresh });
      return [...unpack(client.decrypt(outputs), client.manifest.outputs[0]!, client.parameters.slots)];
    };
    const largestError = (actual: readonly number[], expected: readonly number[]): number =>
      Math.max(...expected.map((value, i) => Math.abs(value - (actual[i] ?? Number.NaN))));

    test('goes on from run to run, past where the register is full', async () => {
      const sequence = session.sequence(zeros());
      const expected = expectedOutputs(inputs);
      for (const [t, x] of inputs.entries()) expect(largestError(await runStep(sequence, x), expected[t]!)).toBeLessThan(1e-3);
      expect(sequence.length).toBe(inputs.length);
      sequence.dispose();
    });

    test('leaves nothing behind when it is disposed of', async () => {
      const before = session.ledger.total();
      const sequence = session.sequence(zeros());
      await runStep(sequence, inputs[0]!);
      await runStep(sequence, inputs[1]!);
      expect(session.ledger.of('ciphertext').count).toBeGreaterThan(0);
      sequence.dispose();
      expect(session.ledger.total()).toMatchObject({ count: before.count, bytes: before.bytes });
    });

    test('a run that is cut off changes nothing, and can be run again', async () => {
      const sequence = session.sequence(zeros());
      await runStep(sequence, inputs[0]!);
      const controller = new AbortController();
      const cut = sequence.run(encrypted(inputs[1]!), { refresh, signal: controller.signal, onProgress: () => controller.abort() });
      await expect(cut).rejects.toMatchObject({ code: 'ABORTED' });
      expect(largestError(await runStep(sequence, inputs[1]!), expectedOutputs(inputs)[1]!)).toBeLessThan(1e-3);
      sequence.dispose();
    });

    test('two sequences know nothing of each other', async () => {
      const [a, b] = [session.sequence(zeros()), session.sequence(zeros())];
      await runStep(a, inputs[0]!);
      expect(largestError(await runStep(b, inputs[1]!), expectedOutputs([inputs[1]!])[0]!)).toBeLessThan(1e-3);
      a.dispose();
      b.dispose();
    });
  });
}

describe('a sequence refuses', () => {
  const open = async (of: Program) => {
    const server = await createServer(of, { engine: 'mock' });
    const client = await createClient(server.manifest, { engine: 'mock' });
    const session = await server.openSession(await client.evaluationKeys());
    const zeros = (count: number) => client.encrypt(Array.from({ length: count }, () => new Float64Array(client.parameters.slots)));
    return { session, zeros, refresh: async (sent: readonly Uint8Array[]) => client.refresh(sent) };
  };

  test('to begin where a program keeps nothing', async () => {
    const { session } = await open(compileGraph(graph, { polyModulusDegrees: [8192] }));
    expect(() => session.sequence([])).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
  });

  test('to begin with too little', async () => {
    const { session, zeros } = await open(program);
    expect(() => session.sequence(zeros(1))).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED', op: 'sequence' }));
  });

  test('to begin with garbage, and leaves nothing behind', async () => {
    const { session, zeros } = await open(program);
    expect(() => session.sequence([...zeros(1), new Uint8Array(8)])).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^WIRE_/) }),
    );
    expect(session.ledger.of('ciphertext').count).toBe(0);
  });

  test('a run while another is under way, and after disposal', async () => {
    const { session, zeros, refresh } = await open(program);
    const sequence = session.sequence(zeros(2));
    const first = sequence.run(zeros(1), { refresh });
    await expect(sequence.run(zeros(1), { refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
    await first;
    sequence.dispose();
    await expect(sequence.run(zeros(1), { refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
  });

  test('a single run of a program with state', async () => {
    const { session, zeros, refresh } = await open(program);
    await expect(session.run(zeros(1), { refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE', op: 'run' });
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunOptions } from '../../src/executor/types.js';
import type { TensorNode } from '../../src/graph/node.js';
import { compileGraph, type Program, parseProgram, serializeProgram } from '../../src/index.js';
import { createServer, type Sequence, type Session } from '../../src/server/index.js';
import { randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';
import { expectedOutputs, largestError, STATE, traceShiftRegister, WIDTH } from '../support/shift_register.js';
import { compileSmall } from '../support/small_ring.js';

let graph: TensorNode[];
let program: Program;
let small: Program;
beforeAll(async () => {
  graph = await traceShiftRegister();
  program = compileGraph(graph, { polyModulusDegrees: [8192], state: STATE });
  small = compileSmall(graph, { state: STATE });
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
    let pair: Awaited<ReturnType<typeof openPair>>;
    let session: Session;
    beforeAll(async () => {
      pair = await openPair(small, engine);
      session = pair.session;
    });
    afterAll(() => pair.dispose());

    const encrypted = (x: Float64Array): Uint8Array[] => pair.encrypt(x);
    const zeros = (): Uint8Array[] => pair.zeros(Object.keys(STATE).length);
    const refresh: RunOptions['refresh'] = async (sent) => pair.client.refresh(sent);
    const runStep = async (sequence: Sequence, x: Float64Array): Promise<Float32Array> =>
      pair.decrypt((await sequence.run(encrypted(x), { refresh })).outputs);

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
    const { session, zeros, client } = await openPair(of, 'mock');
    return { session, zeros, refresh: async (sent: readonly Uint8Array[]) => client.refresh(sent) };
  };

  test('to begin where a program keeps nothing', async () => {
    const { session } = await open(compileSmall(graph));
    expect(() => session.sequence([])).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
  });

  test('to begin with too little', async () => {
    const { session, zeros } = await open(small);
    expect(() => session.sequence(zeros(1))).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED', op: 'sequence' }));
  });

  test('to begin with garbage, and leaves nothing behind', async () => {
    const { session, zeros } = await open(small);
    expect(() => session.sequence([...zeros(1), new Uint8Array(8)])).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^WIRE_/) }),
    );
    expect(session.ledger.of('ciphertext').count).toBe(0);
  });

  test('a run while another is under way, and after disposal', async () => {
    const { session, zeros, refresh } = await open(small);
    const sequence = session.sequence(zeros(2));
    const first = sequence.run(zeros(1), { refresh });
    await expect(sequence.run(zeros(1), { refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
    await first;
    sequence.dispose();
    await expect(sequence.run(zeros(1), { refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
  });

  test('a single run of a program with state', async () => {
    const { session, zeros, refresh } = await open(small);
    await expect(session.run(zeros(1), { refresh })).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE', op: 'run' });
  });
});

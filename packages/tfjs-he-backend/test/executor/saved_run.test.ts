import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RunOptions } from '../../src/executor/types.js';
import type { TensorNode } from '../../src/graph/node.js';
import { evaluateGraph, manifestOf, type Program } from '../../src/index.js';
import { createServer } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { traceAttention } from '../support/attention.js';
import { createMutator } from '../support/mutate.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openClient } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

const x = randomValues(8, 5);
let graph: TensorNode[];
let program: Program;
beforeAll(async () => {
  graph = await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 3 });
  program = compileSmall(graph);
});

type Engine = 'mock' | 'simd';

async function openHolder(engine: Engine) {
  const client = await openClient(program, engine);
  const { slots } = client.parameters;
  return {
    client,
    keys: await client.evaluationKeys(),
    inputs: client.encrypt(pack(x, manifestOf(program).inputs[0]!, slots)),
    refresh: (async (ciphertexts) => client.refresh(ciphertexts)) as RunOptions['refresh'],
    read: (outputs: Uint8Array[]) => unpack(client.decrypt(outputs), manifestOf(program).outputs[0]!, slots),
  };
}

/** A run as a server process left it: saved while it waits for the refreshes after `segment`. */
async function savedAfter(segment: number, engine: Engine, { keys, inputs, refresh }: Awaited<ReturnType<typeof openHolder>>) {
  const server = await createServer(program, { engine });
  const session = await server.openSession(keys);
  const run = session.start(inputs);
  let saved = new Uint8Array(0);
  await run
    .proceed({
      async refresh(ciphertexts, round) {
        if (round.segment < segment) return refresh(ciphertexts, round);
        saved = run.save() as Uint8Array<ArrayBuffer>;
        throw new Error('the process ends');
      },
    })
    .catch(() => {});
  session.dispose();
  server.dispose();
  return saved;
}

describe.each(['mock', 'simd'] as const)('a run of engine %s', (engine) => {
  test('goes on in another process from every border at which it was saved', async () => {
    const holder = await openHolder(engine);
    const [exact] = evaluateGraph(graph, new Map([['input', x]]));
    const borders = engine === 'mock' ? program.segments.length - 1 : 1;
    for (let segment = 0; segment < borders; segment++) {
      const saved = await savedAfter(segment, engine, holder);
      const server = await createServer(program, { engine });
      const session = await server.openSession(holder.keys);
      const run = session.restore(saved);
      expect(run).toMatchObject({ state: 'ready', segment });
      const result = await run.proceed({ refresh: holder.refresh });
      expect(bitsOfAgreement(holder.read(result.outputs), exact!)).toBeGreaterThan(12);
      expect(result.refreshes).toBe(program.segments.reduce((sum, { refreshes }) => sum + refreshes.length, 0));
      expect(session.ledger.of('ciphertext').count).toBe(0);
      session.dispose();
      server.dispose();
    }
    holder.client.dispose();
  });
});

describe('a saved run', () => {
  const open = async () => {
    const holder = await openHolder('mock');
    const server = await createServer(program, { engine: 'mock' });
    return { holder, session: await server.openSession(holder.keys) };
  };

  test('can be that of inputs alone, and of an interrupted segment', async () => {
    const { holder, session } = await open();
    const run = session.start(holder.inputs);
    const first = session.restore(run.save());
    const controller = new AbortController();
    const under = first.proceed({ refresh: holder.refresh, signal: controller.signal });
    expect(() => first.save()).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
    controller.abort();
    await expect(under).rejects.toMatchObject({ code: 'ABORTED' });
    const second = session.restore(first.save());
    const { outputs } = await second.proceed({ refresh: holder.refresh });
    expect(bitsOfAgreement(holder.read(outputs), evaluateGraph(graph, new Map([['input', x]]))[0]!)).toBeGreaterThan(12);
    expect(() => second.save()).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE', message: expect.stringMatching(/has ended/) }));
    session.dispose();
    expect(() => run.save()).toThrow(expect.objectContaining({ code: 'RUN_UNAVAILABLE' }));
  });

  test('asks for its refreshes under new masks', async () => {
    const { holder, session } = await open();
    const masks: string[] = [];
    const lost: RunOptions['refresh'] = async (ciphertexts) => {
      masks.push(...ciphertexts.map((frame) => Buffer.from(frame.subarray(21, 53)).toString('hex')));
      throw new Error('lost');
    };
    const run = session.start(holder.inputs);
    await run.proceed({ refresh: lost }).catch(() => {});
    await session
      .restore(run.save())
      .proceed({ refresh: lost })
      .catch(() => {});
    expect(masks.length).toBe(2 * program.segments[0]!.refreshes.length);
    expect(new Set(masks).size).toBe(masks.length);
  });

  test('of another program or under other keys is refused', async () => {
    const { holder, session } = await open();
    const saved = session.start(holder.inputs).save();
    const other = { ...program, constants: program.constants.map((c, i) => (i === 0 ? { ...c, values: c.values.map((v) => v + 1) } : c)) };
    const foreign = await (await createServer(other, { engine: 'mock' })).openSession(holder.keys);
    const refused = expect.objectContaining({ code: 'WIRE_PARAMETERS_MISMATCH' });
    expect(() => foreign.restore(saved)).toThrow(refused);
    const seal = await openHolder('simd');
    const server = await createServer(program, { engine: 'simd' });
    const own = await server.openSession(seal.keys);
    const simdSaved = own.start(seal.inputs).save();
    const again = await server.openSession(await seal.client.evaluationKeys());
    expect(() => again.restore(simdSaved)).toThrow(refused);
    own.dispose();
    again.dispose();
    server.dispose();
    seal.client.dispose();
  });

  test('that is damaged is refused with a typed error, and leaves nothing behind', async () => {
    const { holder, session } = await open();
    const saved = await savedAfter(0, 'mock', holder);
    const mutator = createMutator([saved, saved.slice(0, 2000)], 7);
    const codes = new Set<string>();
    const before = session.ledger.total();
    for (let i = 0; i < 300; i++) {
      try {
        session.restore(mutator.next()).dispose();
      } catch (error) {
        codes.add((error as { code: string }).code);
      }
    }
    for (const code of codes) expect(code).toMatch(/^WIRE_/);
    expect(codes.size).toBeGreaterThan(2);
    expect(session.ledger.total()).toEqual(before);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, createClient } from '../../src/client/index.js';
import type { TensorNode } from '../../src/graph/node.js';
import { compileGraph, evaluateGraph, manifestOf, type Program } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import type { Instruction, ProgramTensor } from '../../src/program/program.js';
import { createSealContext } from '../../src/seal/context.js';
import { loadSealModule } from '../../src/seal/load.js';
import { createServer } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const ENGINES = ['seal', 'simd'] as const;

/** Runs of one program on both engines, on the same input ciphertexts and keys. */
async function outputsOf(
  program: Program,
  client: Client,
  inputs: readonly Uint8Array[],
): Promise<{ seal: Uint8Array[]; simd: Uint8Array[] }> {
  const keys = await client.evaluationKeys();
  const run = async (engine: (typeof ENGINES)[number]) => {
    const server = await createServer(program, { engine });
    const session = await server.openSession(keys);
    const { outputs } = await session.run(inputs, { refresh: async (ciphertexts) => client.refresh(ciphertexts) });
    session.dispose();
    server.dispose();
    expect(session.ledger.total()).toEqual({ count: 0, bytes: 0 });
    return outputs;
  };
  return { seal: await run('seal'), simd: await run('simd') };
}

let graph: TensorNode[];
let attention: Program;
beforeAll(async () => {
  graph = await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 3 });
  attention = compileGraph(graph, { polyModulusDegrees: [8192] });
});

test('a model decrypts to the same values on seal and simd, to within one bit of what either keeps', async () => {
  const client = await createClient(manifestOf(attention), { engine: 'seal' });
  const { manifest, parameters } = client;
  const x = randomValues(8, 5);
  const outputs = await outputsOf(attention, client, client.encrypt(pack(x, manifest.inputs[0]!, parameters.slots)));
  const [seal, simd] = ENGINES.map((engine) => unpack(client.decrypt(outputs[engine]), manifest.outputs[0]!, parameters.slots));
  client.dispose();
  const [expected] = evaluateGraph(graph, new Map([['input', x]]));
  const bits = bitsOfAgreement(seal!, expected!);
  expect(bits).toBeGreaterThan(12);
  expect(bitsOfAgreement(simd!, expected!)).toBeGreaterThan(bits - 1);
  expect(bitsOfAgreement(simd!, seal!)).toBeGreaterThan(bits - 1);
});

describe.each(ENGINES)('a server of engine %s', (engine) => {
  test('takes keys as SEAL saves them', async () => {
    const { parameters } = attention;
    const seal = await loadSealModule();
    const primes = parameters.coeffModulus.map(BigInt);
    const context = createSealContext(seal, parameters.polyModulusDegree, primes, { expandChain: true, securityBits: 128 });
    const generator = new seal.KeyGenerator(context);
    const steps = Int32Array.from(attention.galoisSteps);
    const keys = {
      relinKeys: generator.createRelinKeysSerializable().saveToArray(seal.ComprModeType.zstd) as Uint8Array,
      galoisKeys: generator.createGaloisKeysSerializableWithSteps(steps).saveToArray(seal.ComprModeType.zstd) as Uint8Array,
    };
    generator.delete();
    context.delete();
    const server = await createServer(attention, { engine });
    const session = await server.openSession(keys);
    expect(session.ledger.of('key').count).toBe(1 + steps.length);
    session.dispose();
    await expect(server.openSession({ ...keys, relinKeys: keys.galoisKeys })).rejects.toMatchObject({ code: 'WIRE_MALFORMED' });
    server.dispose();
    expect(session.ledger.total()).toEqual({ count: 0, bytes: 0 });
  });
});

describe('a program of one operation gives the same bytes on seal and simd', () => {
  let client: Client;
  let inputs: Uint8Array[];
  beforeAll(async () => {
    client = await createClient({ ...manifestOf(attention), galoisSteps: [5] }, { engine: 'seal' });
    const { slots } = client.parameters;
    inputs = client.encrypt([randomValues(slots, 1), randomValues(slots, 2)]);
  });
  afterAll(() => client.dispose());

  const at = { layer: 0, level: 0 };
  const x = 0;
  const y = 1;
  const out = 2;
  const product: readonly Instruction[] = [{ ...at, op: 'relinearize', acc: out }];
  const programs: Readonly<Record<string, readonly Instruction[]>> = {
    add: [{ ...at, op: 'add', out, a: x, b: y }],
    sub: [{ ...at, op: 'sub', out, a: x, b: y }],
    negate: [{ ...at, op: 'negate', out, a: x }],
    rotate: [{ ...at, op: 'rotate', out, a: x, steps: 5 }],
    multiply: [{ ...at, op: 'multiply', out, a: x, b: y }, ...product],
    square: [{ ...at, op: 'square', out, a: x }, ...product],
  };

  test.each(Object.keys(programs))('%s', async (name) => {
    const { maxLevel, levelScale, slots } = createParameters(attention.parameters);
    const own = programs[name]!;
    // What is sent has the canonical scale.
    const rescale: Instruction = { ...at, op: 'rescale', acc: out, scale: levelScale(maxLevel - 1) };
    const instructions = (own.length > 1 ? [...own, rescale] : own).map((instruction) => ({ ...instruction, level: maxLevel }));
    const layout = { name: 'x', shape: [slots], ciphertexts: 1, slotOf: Array.from({ length: slots }, (_, i) => i), period: slots };
    const tensor = (register: number): ProgramTensor => ({ registers: [register], layout });
    const program: Program = {
      ...attention,
      layers: ['layer'],
      inputs: [tensor(x), tensor(y)],
      outputs: [tensor(out)],
      constants: [],
      segments: [{ instructions, refreshes: [] }],
      registers: 3,
      galoisSteps: [5],
    };
    const { seal, simd } = await outputsOf(program, client, inputs);
    expect(Buffer.compare(Buffer.concat(seal), Buffer.concat(simd))).toBe(0);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, createClient } from '../../src/client/index.js';
import type { TensorNode } from '../../src/graph/node.js';
import { evaluateGraph, manifestOf, type Program } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import type { Instruction, ProgramTensor } from '../../src/program/program.js';
import { createSealContext } from '../../src/seal/context.js';
import { loadSealModule } from '../../src/seal/load.js';
import { createServer, type SealKeyObjects } from '../../src/server/index.js';
import { pack, unpack } from '../../src/wire/layout.js';
import { traceAttention } from '../support/attention.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openClient } from '../support/session.js';
import { compileSmall } from '../support/small_ring.js';

const ENGINES = ['seal', 'simd'] as const;

/** Runs of one program on both engines, on the same input ciphertexts and keys. */
async function outputsOf(
  program: Program,
  client: Client,
  keys: Uint8Array | SealKeyObjects,
  inputs: readonly Uint8Array[],
): Promise<{ seal: Uint8Array[]; simd: Uint8Array[] }> {
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
  attention = compileSmall(graph);
});

test('a model decrypts to the same values on seal and simd, to within one bit of what either keeps', async () => {
  const client = await openClient(attention, 'seal');
  const { manifest, parameters } = client;
  const x = randomValues(8, 5);
  const outputs = await outputsOf(
    attention,
    client,
    await client.evaluationKeys(),
    client.encrypt(pack(x, manifest.inputs[0]!, parameters.slots)),
  );
  const [seal, simd] = ENGINES.map((engine) => unpack(client.decrypt(outputs[engine]), manifest.outputs[0]!, parameters.slots));
  client.dispose();
  const [expected] = evaluateGraph(graph, new Map([['input', x]]));
  const bits = bitsOfAgreement(seal!, expected!);
  expect(bits).toBeGreaterThan(12);
  expect(bitsOfAgreement(simd!, expected!)).toBeGreaterThan(bits - 1);
  expect(bitsOfAgreement(simd!, seal!)).toBeGreaterThan(bits - 1);
});

describe('single operations on the same ciphertexts and keys', () => {
  let client: Client;
  let inputs: Uint8Array[];
  beforeAll(async () => {
    client = await createClient({ ...manifestOf(attention), galoisSteps: [5] }, { engine: 'seal', minimumSecurityBits: 0 });
    const { slots } = client.parameters;
    inputs = client.encrypt([randomValues(slots, 1), randomValues(slots, 2)]);
  });
  afterAll(() => client.dispose());

  const [x, y] = [0, 1];
  /** One program with an output for every operation. */
  const allOperations = (): { readonly names: readonly string[]; readonly program: Program } => {
    const { maxLevel, levelScale, slots } = createParameters(attention.parameters);
    const at = { layer: 0, level: maxLevel };
    // What is sent has the canonical scale.
    const product = (acc: number): Instruction[] => [
      { ...at, op: 'relinearize', acc },
      { ...at, op: 'rescale', acc, scale: levelScale(maxLevel - 1) },
    ];
    const operations: Readonly<Record<string, (out: number) => Instruction[]>> = {
      add: (out) => [{ ...at, op: 'add', out, a: x, b: y }],
      sub: (out) => [{ ...at, op: 'sub', out, a: x, b: y }],
      negate: (out) => [{ ...at, op: 'negate', out, a: x }],
      rotate: (out) => [{ ...at, op: 'rotate', out, a: x, steps: 5 }],
      multiply: (out) => [{ ...at, op: 'multiply', out, a: x, b: y }, ...product(out)],
      square: (out) => [{ ...at, op: 'square', out, a: x }, ...product(out)],
    };
    const names = Object.keys(operations);
    const layout = { name: 'x', shape: [slots], ciphertexts: 1, slotOf: Array.from({ length: slots }, (_, i) => i), period: slots };
    const tensor = (register: number): ProgramTensor => ({ registers: [register], layout });
    const outputs = names.map((_, i) => tensor(2 + i));
    const instructions = Object.values(operations).flatMap((operation, i) => operation(2 + i));
    const program: Program = {
      ...attention,
      layers: ['layer'],
      inputs: [tensor(x), tensor(y)],
      outputs,
      constants: [],
      segments: [{ instructions, refreshes: [] }],
      registers: 2 + names.length,
      galoisSteps: [5],
    };
    return { names, program };
  };

  test('give the same bytes', async () => {
    const { names, program } = allOperations();
    const { seal, simd } = await outputsOf(program, client, await client.evaluationKeys(), inputs);
    expect(seal.length).toBe(names.length);
    expect(names.filter((_, i) => Buffer.compare(seal[i]!, simd[i]!) !== 0)).toEqual([]);
  });

  test('and under keys as SEAL saves them', async () => {
    const { program } = allOperations();
    const { polyModulusDegree, coeffModulus } = createParameters(program.parameters);
    const seal = await loadSealModule();
    const context = createSealContext(seal, polyModulusDegree, coeffModulus, { expandChain: true, securityBits: 0 });
    const generator = new seal.KeyGenerator(context);
    const keys = {
      relinKeys: generator.createRelinKeysSerializable().saveToArray(seal.ComprModeType.zstd) as Uint8Array,
      galoisKeys: generator.createGaloisKeysSerializableWithSteps(Int32Array.of(5)).saveToArray(seal.ComprModeType.zstd) as Uint8Array,
    };
    generator.delete();
    context.delete();
    const outputs = await outputsOf(program, client, keys, inputs);
    expect(Buffer.compare(Buffer.concat(outputs.seal), Buffer.concat(outputs.simd))).toBe(0);
    const server = await createServer(program, { engine: 'simd' });
    await expect(server.openSession({ ...keys, relinKeys: keys.galoisKeys })).rejects.toMatchObject({ code: 'WIRE_MALFORMED' });
    server.dispose();
  });
});

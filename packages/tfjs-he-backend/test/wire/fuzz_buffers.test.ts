import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MainModule } from 'node-seal';
import { createClient } from '../../src/client/create_client.js';
import { type AnyEngine, createEngineRuntime, type EngineRuntime } from '../../src/engines/runtime.js';
import { HeError, type HeErrorCode } from '../../src/errors.js';
import { compileGraph, parseProgram, serializeProgram } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { loadSealModule } from '../../src/seal/load.js';
import { type Manifest, manifestParameters, parseManifest } from '../../src/wire/manifest.js';
import { traceAttention } from '../support/attention.js';
import { createMutator, mutateJson } from '../support/mutate.js';
import { randomSource } from '../support/random.js';

/** `npm run fuzz:wire` asks for 20000; the suite takes a share of them, with the same seeds. */
const TOTAL = (globalThis as { fuzzBuffers?: number }).fuzzBuffers ?? 2500;
const share = (part: number) => Math.ceil(part * TOTAL);

const parameters = createParameters({
  polyModulusDegree: 1024,
  coeffModulus: choosePrimes(1024, [50, 34, 34, 50]),
  securityBits: 0,
  refreshLevel: 1,
  valueBits: 3,
});
const galoisSteps = [1, 5];
const layout = { name: 'x', shape: [4], ciphertexts: 1, slotOf: [0, 1, 2, 3], period: 8 };
const manifestOf = (p: typeof parameters): Manifest => ({
  format: 'he-manifest',
  version: 1,
  parameters: manifestParameters(p),
  galoisSteps,
  inputs: [layout],
  outputs: [layout],
  segments: 2,
  refreshes: [1],
});

interface Tally {
  accepted: number;
  readonly refused: Map<HeErrorCode, number>;
}

/** Reads until all buffers are through; anything but a value or a HeError of an allowed code fails the test. */
function attempt(tally: Tally, allowed: RegExp, read: () => void): void {
  try {
    read();
    tally.accepted++;
  } catch (error) {
    if (!(error instanceof HeError) || !allowed.test(error.code)) throw error;
    tally.refused.set(error.code, (tally.refused.get(error.code) ?? 0) + 1);
  }
}
const newTally = (): Tally => ({ accepted: 0, refused: new Map() });
const refusals = (tally: Tally) => [...tally.refused.values()].reduce((sum, n) => sum + n, 0);
const report: string[] = [];
function note(what: string, tally: Tally): void {
  const codes = [...tally.refused].map(([code, n]) => `${code} ${n}`).join(', ');
  report.push(`${what}: ${tally.accepted + refusals(tally)} buffers, ${tally.accepted} accepted, ${refusals(tally)} refused (${codes})`);
}

describe.each(['mock', 'seal', 'simd'] as const)('mutated buffers for the %s engine', (name) => {
  let runtime: EngineRuntime;
  let engine: AnyEngine;
  let ciphertexts: Uint8Array[];
  let keys: Uint8Array[];
  /** What SEAL's own loader was given, and whether it complained. */
  const native = { calls: 0, failures: 0 };
  let restore = (): void => {};

  beforeAll(async () => {
    const open = (p: typeof parameters) =>
      createClient(manifestOf(p), { engine: name === 'mock' ? 'mock' : 'seal', minimumSecurityBits: 0 });
    const client = await open(parameters);
    // Valid for other parameters, and at another level: wrong here.
    const stranger = await open(createParameters({ ...parameters, coeffModulus: choosePrimes(1024, [50, 35, 35, 50]) }));
    runtime = await createEngineRuntime(name, parameters, galoisSteps);
    const upload = await client.evaluationKeys();
    engine = runtime.open(upload);
    const [fresh] = client.encrypt([new Float64Array(parameters.slots).fill(0.5)]);
    const low = engine.save(engine.modSwitchTo(engine.load(fresh!), parameters.refreshLevel));
    ciphertexts = [fresh!, fresh!, low, ...client.refresh([low]), ...stranger.encrypt([new Float64Array(parameters.slots)])];
    keys = [upload, upload, await stranger.evaluationKeys()];
    client.dispose();
    stranger.dispose();
    restore = watchLoaders(await loadSealModule(), native);
  });
  afterAll(() => {
    restore();
    engine.close();
    runtime.dispose();
  });

  test('a ciphertext is read or refused with a typed error, and leaves nothing behind', () => {
    const mutator = createMutator(ciphertexts, 21);
    const tally = newTally();
    const before = engine.ledger.total();
    for (let i = 0; i < share(0.13); i++) attempt(tally, /^WIRE_/, () => engine.dispose(engine.load(mutator.next())));
    expect(engine.ledger.total()).toEqual(before);
    expect(tally.refused.size).toBeGreaterThanOrEqual(4);
    note(`${name} ciphertexts`, tally);
  });

  test('evaluation keys are opened or refused with a typed error, and leave nothing behind', () => {
    const mutator = createMutator(keys, 22);
    const tally = newTally();
    const before = runtime.ledger.total();
    for (let i = 0; i < share(0.04); i++) attempt(tally, /^WIRE_/, () => runtime.open(mutator.next()).close());
    expect(runtime.ledger.total()).toEqual(before);
    expect(tally.refused.size).toBeGreaterThanOrEqual(3);
    note(`${name} keys`, tally);
  });

  test('the native loader never saw bytes that it refused', () => {
    expect(native.failures).toBe(0);
    if (name === 'seal') expect(native.calls).toBeGreaterThan(0);
    else expect(native.calls).toBe(0);
  });
});

describe('mutated documents', () => {
  const allowed = /^(MANIFEST_INVALID|PARAMETERS_(INVALID|INSECURE|NO_PRIMES|MASK_SLACK)|PROGRAM_INVALID)$/;

  test('a manifest is read or refused with a typed error', () => {
    const valid = JSON.parse(JSON.stringify(manifestOf(parameters)));
    const bytes = new TextEncoder().encode(JSON.stringify(valid));
    const random = randomSource(23);
    const mutator = createMutator([bytes], 24);
    const tally = newTally();
    for (let i = 0; i < share(0.25); i++) {
      const value = i % 4 > 0 ? mutateJson(valid, random) : jsonOf(mutator.next());
      attempt(tally, allowed, () => parseManifest(value, { minimumSecurityBits: 0 }));
    }
    expect(refusals(tally)).toBeGreaterThan(share(0.12));
    note('manifests', tally);
  });

  test('a program is read or refused with a typed error', async () => {
    const program = compileGraph(await traceAttention({ tokens: 2, heads: 1, headDim: 2, labels: 2 }), { polyModulusDegrees: [8192] });
    const file = serializeProgram(program);
    const jsonBytes = new DataView(file.buffer).getUint32(4, true);
    const header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + jsonBytes)));
    const constants = file.subarray(8 + jsonBytes);
    const random = randomSource(25);
    const mutator = createMutator([file], 26);
    const tally = newTally();
    for (let i = 0; i < share(0.25); i++) {
      const bytes = i % 4 > 0 ? fileOf(mutateJson(header, random), constants) : mutator.next();
      attempt(tally, allowed, () => parseProgram(bytes));
    }
    expect(refusals(tally)).toBeGreaterThan(share(0.12));
    note('programs', tally);
  });
});

afterAll(() => {
  if (TOTAL >= 20_000) process.stdout.write(`${report.join('\n')}\n`);
});

/** Counts what reaches SEAL's loaders. */
function watchLoaders(seal: MainModule, native: { calls: number; failures: number }): () => void {
  const restored = [seal.Ciphertext, seal.GaloisKeys, seal.RelinKeys].map(({ prototype }) => {
    const original = prototype.loadFromArray;
    prototype.loadFromArray = function (this: unknown, ...args: unknown[]) {
      native.calls++;
      try {
        return original.apply(this, args);
      } catch (error) {
        native.failures++;
        throw error;
      }
    };
    return () => {
      prototype.loadFromArray = original;
    };
  });
  return () => {
    for (const undo of restored) undo();
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // not even JSON: the caller's own parser refuses it
  }
}

function fileOf(header: unknown, constants: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + constants.length);
  file.set(new TextEncoder().encode('HEP1'));
  new DataView(file.buffer).setUint32(4, json.length, true);
  file.set(json, 8);
  file.set(constants, 8 + json.length);
  return file;
}

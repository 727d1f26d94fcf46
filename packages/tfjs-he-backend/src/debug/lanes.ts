import type { Ciphertext } from 'node-seal';
import { createMockClient } from '../client/mock_client.js';
import { createSealKeyHolder } from '../client/seal_client.js';
import type { Engine } from '../engines/engine.js';
import type { CiphertextHandle } from '../engines/handles.js';
import { createMockEngine, type MockCiphertext, type MockPlaintext } from '../engines/mock.js';
import { createSealEngine, type SealPlaintext } from '../engines/seal.js';
import { createSealRuntime } from '../engines/seal_runtime.js';
import { ConstantCache } from '../executor/constants.js';
import { interpret } from '../executor/interpret.js';
import { RegisterFile } from '../executor/register_file.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Instruction, Program, Refresh, Register } from '../program/program.js';
import type { MaskSeed } from '../ring/mask.js';
import { splitEvaluationKeys } from '../wire/evaluation_keys.js';
import type { ParsedManifest } from '../wire/manifest.js';
import { createMockFrames } from '../wire/mock_frames.js';

/** One way of running a program whose every intermediate value can be read. */
export interface Lane {
  load(register: Register, slotValues: Float64Array): void;
  /** @throws HeError of the engine. */
  step(instruction: Instruction): void;
  refresh(refresh: Refresh, seed: MaskSeed): void;
  release(register: Register): void;
  values(register: Register): Float64Array;
  close(): void;
}

interface LaneParts<V, P> {
  readonly engine: Engine<CiphertextHandle<V>, P>;
  readonly encrypt: (slotValues: Float64Array) => Uint8Array;
  /** What a client does with a masked ciphertext. */
  readonly raise: (frame: Uint8Array) => Uint8Array;
  readonly read: (value: V) => Float64Array;
  readonly close: () => void;
}

function createLane<V, P>(program: Program, { engine, encrypt, raise, read, close }: LaneParts<V, P>): Lane {
  const registers = new RegisterFile(engine);
  const constants = new ConstantCache(program, engine);
  return {
    load: (register, slotValues) => registers.set(register, engine.load(encrypt(slotValues))),
    step: (instruction) => interpret(instruction, engine, registers, (id) => constants.get(id)),
    refresh({ from, to }, seed) {
      const masked = engine.mask(registers.get(from), seed);
      const fresh = engine.load(raise(engine.save(masked)));
      registers.set(to, engine.unmask(fresh, seed));
      engine.dispose(masked);
      engine.dispose(fresh);
    },
    release: (register) => registers.release(register),
    values: (register) => read(registers.get(register).read('inspect')),
    close() {
      registers.releaseAll();
      constants.dispose();
      engine.close();
      close();
    },
  };
}

/** float64, no noise. */
export function createExactLane(program: Program, parameters: Parameters): Lane {
  const { maxLevel, refreshLevel } = parameters;
  const frames = createMockFrames(parameters);
  const engine: Engine<MockCiphertext, MockPlaintext> = createMockEngine(parameters, program.galoisSteps, { noise: false });
  return createLane(program, {
    engine,
    encrypt: (values) => frames.frameCiphertext({ values }, maxLevel),
    raise: (frame) => frames.frameCiphertext(frames.unframeCiphertext(frame, refreshLevel), maxLevel),
    read: ({ values }) => values,
    close() {},
  });
}

/** float64 with the noise of CKKS. */
export function createMockLane(program: Program, parsed: ParsedManifest, seed: number): Lane {
  const client = createMockClient(parsed, seed + 1);
  return createLane(program, {
    engine: createMockEngine(parsed.parameters, program.galoisSteps, { seed }),
    encrypt: (values) => only(client.encrypt([values])),
    raise: (frame) => only(client.refresh([frame])),
    read: ({ values }) => values,
    close: () => client.dispose(),
  });
}

/** SEAL's ciphertexts, with the secret key at hand. @throws HeError RUNTIME_UNSUPPORTED, MEMORY_BUDGET. */
export async function createSealLane(program: Program, parsed: ParsedManifest): Promise<Lane> {
  const { client, inspect } = await createSealKeyHolder(parsed);
  const runtime = await createSealRuntime(parsed.parameters);
  const keys = splitEvaluationKeys(await client.evaluationKeys(), 'seal', parsed.parameters, program.galoisSteps);
  return createLane<Ciphertext, SealPlaintext>(program, {
    engine: createSealEngine(runtime, keys),
    encrypt: (values) => only(client.encrypt([values])),
    raise: (frame) => only(client.refresh([frame])),
    read: inspect,
    close() {
      runtime.dispose();
      client.dispose();
    },
  });
}

function only(frames: readonly Uint8Array[]): Uint8Array {
  return frames[0] ?? new Uint8Array(0);
}

import type { Parameters } from '../parameters/parameters.js';
import { evaluationKeysBytes, splitEvaluationKeys } from '../wire/evaluation_keys.js';
import type { OpObserver } from './checked_engine.js';
import type { Engine } from './engine.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import { Ledger } from './ledger.js';
import { createMockEngine } from './mock.js';
import { createSealEngine } from './seal.js';
import { createSealRuntime } from './seal_runtime.js';
import { createSimdEngine } from './simd.js';
import { createSimdRuntime } from './simd_runtime.js';

/** An engine of whichever kind. */
export type AnyEngine = Engine<CiphertextHandle<unknown>, PlaintextHandle<unknown>>;

/** A program's engine, shared by all clients: open() one engine per set of evaluation keys. */
export interface EngineRuntime {
  readonly name: 'mock' | 'seal' | 'simd';
  readonly parameters: Parameters;
  /** Of all engines of this runtime together. */
  readonly ledger: Ledger;
  /** Exact size of a client's upload of keys: refuse anything else before reading it. */
  readonly evaluationKeysBytes: number;
  /** @throws HeError WIRE_*. */
  open(evaluationKeys: Uint8Array, observe?: OpObserver): AnyEngine;
  /** An engine without keys: for encoding plaintexts, which all engines of the runtime share. */
  openKeyless(): AnyEngine;
  dispose(): void;
}

/**
 * @param options threads: of the simd engine, where it can have them (default 1)
 * @throws HeError RUNTIME_UNSUPPORTED (seal, simd).
 */
export async function createEngineRuntime(
  name: 'mock' | 'seal' | 'simd',
  parameters: Parameters,
  galoisSteps: readonly number[],
  { threads = 1 }: { readonly threads?: number } = {},
): Promise<EngineRuntime> {
  // The simd engine works on SEAL's ciphertexts and keys, so a client need not know of it.
  const wire = name === 'simd' ? 'seal' : name;
  const split = (keys: Uint8Array) => splitEvaluationKeys(keys, wire, parameters, galoisSteps);
  const common = { name, parameters, evaluationKeysBytes: evaluationKeysBytes(wire, parameters, galoisSteps) };
  if (name === 'mock') {
    const ledger = new Ledger();
    return {
      ...common,
      ledger,
      open: (keys, observe) => createMockEngine(parameters, split(keys), observe === undefined ? { ledger } : { ledger, observe }),
      openKeyless: () => createMockEngine(parameters, [], { ledger }),
      dispose() {},
    };
  }
  if (name === 'simd') {
    const runtime = await createSimdRuntime(parameters, { threads });
    return {
      ...common,
      ledger: runtime.ledger,
      open: (keys, observe) => createSimdEngine(runtime, split(keys), observe),
      openKeyless: () => createSimdEngine(runtime, undefined),
      dispose: () => runtime.dispose(),
    };
  }
  const runtime = await createSealRuntime(parameters);
  return {
    ...common,
    ledger: runtime.ledger,
    open: (keys, observe) => createSealEngine(runtime, split(keys), observe),
    openKeyless: () => createSealEngine(runtime, undefined),
    dispose: () => runtime.dispose(),
  };
}

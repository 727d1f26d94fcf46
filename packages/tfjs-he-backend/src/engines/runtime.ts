import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Variant } from '../simd/kernels.js';
import { evaluationKeysBytes, splitEvaluationKeys } from '../wire/evaluation_keys.js';
import { readSealKeyObjects, type SealKeyObjects } from '../wire/seal_keys.js';
import type { OpObserver } from './arithmetic.js';
import type { Engine } from './engine.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import { Ledger } from './ledger.js';
import { createMockEngine, type MockOptions } from './mock.js';
import { createSealEngine } from './seal.js';
import { createSealRuntime } from './seal_runtime.js';
import { createSimdEngine } from './simd.js';
import { createSimdRuntime, type SimdOptions } from './simd_runtime.js';

/** An engine of whichever kind. */
export type AnyEngine = Engine<CiphertextHandle<unknown>, PlaintextHandle<unknown>>;

/** How an engine computes. */
export interface Execution {
  /** Of simd: `fused` with a fused multiply-add (relaxed SIMD), `plain` where the machine or runtime has none, about four times slower. */
  readonly kernels?: Variant;
  /** That share every operation. */
  readonly threads: number;
}

interface RuntimeOptions extends Pick<SimdOptions, 'threads' | 'keyMemoryBytes'> {
  readonly seed?: number | undefined;
}

const ONE_THREAD: Execution = { threads: 1 };

/** A program's engine, shared by all clients: open() one engine per set of evaluation keys. */
export interface EngineRuntime {
  readonly name: 'mock' | 'seal' | 'simd';
  readonly parameters: Parameters;
  /** Of all engines of this runtime together. */
  readonly ledger: Ledger;
  /** How simd computes, chosen when it started. */
  readonly execution: Execution;
  /** Keys that had had to leave the engine's memory and were copied back. */
  readonly movedKeys: number;
  /** Exact size of a client's upload of keys: refuse anything else before reading it. */
  readonly evaluationKeysBytes: number;
  /** @throws HeError WIRE_*. */
  open(evaluationKeys: Uint8Array, observe?: OpObserver): AnyEngine;
  /** The same for keys as SEAL saves them. @throws HeError WIRE_* (WIRE_UNSUPPORTED: on mock). */
  openSeal(keys: SealKeyObjects): Promise<AnyEngine>;
  /** An engine without keys: for encoding plaintexts, which all engines of the runtime share. */
  openKeyless(): AnyEngine;
  dispose(): void;
}

/**
 * @param options of the simd engine: threads, where it can have them (default 1); keyMemoryBytes, beyond which keys are held outside of its memory. Of the
 *   mock engine: the seed of its noise
 * @throws HeError RUNTIME_UNSUPPORTED (seal, simd).
 */
export async function createEngineRuntime(
  name: 'mock' | 'seal' | 'simd',
  parameters: Parameters,
  galoisSteps: readonly number[],
  options: RuntimeOptions = {},
): Promise<EngineRuntime> {
  // The simd engine works on SEAL's ciphertexts and keys, so a client need not know of it.
  const wire = name === 'simd' ? 'seal' : name;
  const split = (keys: Uint8Array) => splitEvaluationKeys(keys, wire, parameters, galoisSteps);
  const common = { name, parameters, evaluationKeysBytes: evaluationKeysBytes(wire, parameters, galoisSteps) };
  if (name === 'mock') {
    const ledger = new Ledger();
    const mockOptions: MockOptions = options.seed === undefined ? { ledger } : { ledger, seed: options.seed };
    return {
      ...common,
      execution: ONE_THREAD,
      movedKeys: 0,
      ledger,
      openSeal: async () => {
        throw new HeError('WIRE_UNSUPPORTED', 'the engine mock has no use for keys of SEAL', {
          op: 'load keys',
          hint: 'Use the engine seal or simd.',
        });
      },
      open: (keys, observe) => createMockEngine(parameters, split(keys), observe === undefined ? mockOptions : { ...mockOptions, observe }),
      openKeyless: () => createMockEngine(parameters, [], mockOptions),
      dispose() {},
    };
  }
  if (name === 'simd') {
    const runtime = await createSimdRuntime(parameters, options);
    return {
      ...common,
      execution: { kernels: runtime.variant, threads: runtime.runner.threads },
      get movedKeys() {
        return runtime.switchingKeys.moved;
      },
      ledger: runtime.ledger,
      open: (keys, observe) => createSimdEngine(runtime, split(keys), observe),
      openSeal: async (keys) => createSimdEngine(runtime, await readSealKeyObjects(keys, parameters, galoisSteps)),
      openKeyless: () => createSimdEngine(runtime, undefined),
      dispose: () => runtime.dispose(),
    };
  }
  const runtime = await createSealRuntime(parameters);
  return {
    ...common,
    execution: ONE_THREAD,
    movedKeys: 0,
    ledger: runtime.ledger,
    open: (keys, observe) => createSealEngine(runtime, split(keys), observe),
    openSeal: async (keys) => createSealEngine(runtime, await readSealKeyObjects(keys, parameters, galoisSteps)),
    openKeyless: () => createSealEngine(runtime, undefined),
    dispose: () => runtime.dispose(),
  };
}

import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { galoisElement } from '../ring/galois.js';
import { Encoder } from '../simd/encoder.js';
import { Heap } from '../simd/heap.js';
import { type Kernels, loadKernels, loadSharedKernels, type Variant } from '../simd/kernels.js';
import { KeySwitcher } from '../simd/key_switch.js';
import { LimbPool } from '../simd/limbs.js';
import { ModulusDown } from '../simd/modulus_down.js';
import { Rotations } from '../simd/rotations.js';
import { SeedExpander } from '../simd/seed_expander.js';
import { canShareMemory } from '../simd/spawn_thread.js';
import { Sums } from '../simd/sums.js';
import { type SwitchingKey, SwitchingKeys } from '../simd/switching_keys.js';
import { createTables, type PrimeTables } from '../simd/tables.js';
import { createThreads, singleThread, type TaskRunner } from '../simd/threads.js';
import { Values } from '../simd/values.js';
import type { EvaluationKeyFrames } from '../wire/evaluation_keys.js';
import { type KeyReader, readKeyFrames } from '../wire/key_reader.js';
import { createSealFrames, type SealFrames } from '../wire/seal_frames.js';
import { Ledger } from './ledger.js';
import { simdContextBytes } from './memory.js';

/** One client's evaluation keys, expanded. */
export interface SimdKeys {
  readonly relinearization: SwitchingKey;
  readonly galois: ReadonlyMap<number, SwitchingKey>;
}

/** What all clients of a program share: tables and memory. */
export interface SimdRuntime {
  readonly parameters: Parameters;
  readonly variant: Variant;
  readonly runner: TaskRunner;
  readonly ledger: Ledger;
  readonly frames: SealFrames;
  readonly heap: Heap;
  readonly kernels: Kernels;
  readonly pool: LimbPool;
  readonly tables: readonly PrimeTables[];
  readonly expander: SeedExpander;
  readonly encoder: Encoder;
  readonly modulusDown: ModulusDown;
  readonly switchingKeys: SwitchingKeys;
  readonly switcher: KeySwitcher;
  readonly values: Values;
  readonly rotations: Rotations;
  /** @throws HeError WIRE_*, MEMORY_BUDGET. */
  loadKeys(keys: EvaluationKeyFrames | KeyReader): SimdKeys;
  releaseKeys(keys: SimdKeys): void;
  dispose(): void;
}

const MOST_THREADS = 64;

export interface SimdOptions {
  /** Skips the choice between the kernels' variants: for tests and measurements. */
  readonly variant?: Variant;
  /** Threads that share the work, with the fused variant, in Node and on isolated pages; elsewhere one (default 1). */
  readonly threads?: number;
  /** Most bytes of keys in the arithmetic memory; further ones are held outside of it, and copied in for use (default: no limit but that memory's size). */
  readonly keyMemoryBytes?: number;
}

function requireThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return;
  throw new HeError('PARAMETERS_INVALID', `${threads} threads are not in 1..${MOST_THREADS}`, {
    op: 'create the simd engine',
    hint: 'Use as many as there are cores, or fewer.',
  });
}

/** Memory and kernels; shared by threads where that was asked for and is possible. */
async function prepare({ variant: only, threads = 1 }: SimdOptions) {
  const heap = new Heap();
  const { kernels, variant } = await loadKernels(heap.memory, only);
  if (threads > 1 && variant === 'fused' && canShareMemory()) {
    const shared = new Heap(true);
    const { kernels: sharedKernels, module } = await loadSharedKernels(shared.memory);
    const runner = await createThreads(threads, module, sharedKernels, shared);
    if (runner !== undefined) return { heap: shared, kernels: sharedKernels, variant, runner };
  }
  return { heap, kernels, variant, runner: singleThread(kernels) };
}

/** @throws HeError RUNTIME_UNSUPPORTED, MEMORY_BUDGET, PARAMETERS_INVALID (threads not in 1..64). */
export async function createSimdRuntime(parameters: Parameters, options: SimdOptions = {}): Promise<SimdRuntime> {
  requireThreads(options.threads ?? 1);
  const { polyModulusDegree: degree, coeffModulus } = parameters;
  const { heap, kernels, variant, runner } = await prepare(options);
  const ledger = new Ledger();
  const frames = createSealFrames(parameters);
  const pool = new LimbPool(heap, degree);
  const tables = createTables(heap, parameters);
  const expander = new SeedExpander(heap, kernels, degree, coeffModulus);
  const encoder = new Encoder(heap, kernels, degree, tables);
  const keyMemoryBytes = options.keyMemoryBytes ?? Number.POSITIVE_INFINITY;
  const switchingKeys = new SwitchingKeys(heap, kernels, pool, tables, expander, keyMemoryBytes);
  const switcher = new KeySwitcher(parameters, heap, runner, pool, tables, switchingKeys);
  const modulusDown = new ModulusDown(parameters, runner, pool, tables);
  const values = new Values(runner, pool, tables, encoder, modulusDown, new Sums(heap, runner, pool, tables));
  const rotations = new Rotations(switcher, modulusDown, pool, values);
  const contextBytes = simdContextBytes(parameters);
  ledger.acquire('context', contextBytes);

  return {
    parameters,
    variant,
    runner,
    ledger,
    frames,
    heap,
    kernels,
    pool,
    tables,
    expander,
    encoder,
    modulusDown,
    switchingKeys,
    switcher,
    values,
    rotations,
    loadKeys(keys) {
      const loaded: SwitchingKey[] = [];
      const load = (key: SwitchingKey): SwitchingKey => {
        loaded.push(key);
        ledger.acquire('key', switchingKeys.keyBytes);
        return key;
      };
      try {
        const reader = 'steps' in keys ? keys : readKeyFrames(frames, keys);
        const relinearization = load(switchingKeys.load(reader.relinearization(), 1));
        const galois = new Map(
          reader.steps.map((step) => [step, load(switchingKeys.load(reader.galois(step), galoisElement(step, degree)))]),
        );
        return { relinearization, galois };
      } catch (error) {
        for (const key of loaded) {
          switchingKeys.release(key);
          ledger.release('key', switchingKeys.keyBytes);
        }
        throw error;
      }
    },
    releaseKeys({ relinearization, galois }) {
      rotations.close();
      for (const key of [relinearization, ...galois.values()]) {
        switchingKeys.release(key);
        ledger.release('key', switchingKeys.keyBytes);
      }
    },
    dispose() {
      runner.dispose();
      ledger.release('context', contextBytes);
    },
  };
}

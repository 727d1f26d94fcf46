import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import type { CiphertextHandle } from '../engines/handles.js';
import { type AnyEngine, createEngineRuntime, type EngineRuntime } from '../engines/runtime.js';
import { HeError } from '../errors.js';
import { ConstantCache } from '../executor/constants.js';
import { createRun, type RunState } from '../executor/run.js';
import type { KeepOptions, Run } from '../executor/types.js';
import type { MemoryLimits } from '../executor/worker_messages.js';
import { createWorkerPool, type WorkerPool } from '../executor/worker_pool.js';
import { createParameters } from '../parameters/parameters.js';
import { checkRefreshMasks } from '../program/check_refresh_masks.js';
import { manifestOf } from '../program/manifest_of.js';
import type { Program } from '../program/program.js';
import { createTurns, throwIfAborted, unlessAborted } from '../turns.js';
import type { SealKeyObjects } from '../wire/seal_keys.js';
import { defaultServerEngine } from './default_engine.js';
import {
  defaultOutsideBytes,
  leastServerMemory,
  MEMORY_LIMIT,
  requireServerMemory,
  requireSessionMemory,
  serverMemory,
  shareMemory,
} from './memory.js';
import { checkFloodBits, createRerandomizer } from './rerandomizer.js';
import { fromSeal, toSeal } from './seal_ciphertexts.js';
import { createSequence, type SequenceContext } from './sequence.js';
import {
  type PrepareOptions,
  SERVER_ENGINES,
  type Sequence,
  type Server,
  type ServerEngine,
  type ServerOptions,
  type Session,
} from './types.js';

const MASK_KEY_BYTES = 32;

/**
 * A server for a compiled program: encoded constants and the engine's context are shared by all sessions.
 * @throws HeError RUNTIME_UNSUPPORTED (no WebAssembly exception handling), PARAMETERS_INVALID (the engine's name, maskKey), PARAMETERS_INSECURE,
 *   PARAMETERS_MASK_SLACK (masks of less than 40 bits over the values that the program admits), MEMORY_BUDGET (before anything is allocated: not even
 *   contexts, ciphertexts and what is used at once of keys and constants fit).
 */
export async function createServer(program: Program, given: ServerOptions = {}): Promise<Server> {
  const options = { ...given, engine: given.engine ?? defaultServerEngine() };
  requireEngine(options.engine);
  const maskKey = options.maskKey ?? randomBytes(MASK_KEY_BYTES);
  if (maskKey.length !== MASK_KEY_BYTES) {
    throw new HeError('PARAMETERS_INVALID', `maskKey has ${maskKey.length} bytes`, {
      op: 'createServer',
      hint: `Give ${MASK_KEY_BYTES} random bytes.`,
    });
  }
  const parameters = createParameters(program.parameters);
  checkRefreshMasks(program, parameters);
  const { rerandomize } = options;
  const { floodBits = 0 } = rerandomize ?? {};
  checkFloodBits(floodBits, parameters);
  const { memoryBytes = MEMORY_LIMIT, threads = 1 } = options;
  // Every worker would have its own.
  const outsideBytes = options.engine === 'simd' && countOf(options) === 0 ? (options.outsideBytes ?? defaultOutsideBytes()) : 0;
  const memory = serverMemory(program, parameters, options.engine);
  const least = leastServerMemory(program, parameters, options.engine, outsideBytes);
  requireServerMemory(least, memoryBytes);
  const plan = shareMemory(memory, least, memoryBytes);
  const runtime = await createEngineRuntime(options.engine, parameters, program.galoisSteps, { threads, keyMemoryBytes: plan.keys });
  const workers = await openPool(program, options, plan).catch((error: unknown) => {
    runtime.dispose();
    throw error;
  });
  const keyless = runtime.openKeyless();
  const constants = new ConstantCache(program, keyless, options.engine === 'mock' ? undefined : { bytes: plan.constants, outsideBytes });
  let runs = 0;
  let sessions = 0;
  // Masks must not repeat even when a server restarts with the same maskKey.
  const instance = Array.from(randomBytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');

  /** Keys first, constants in what they leave. */
  const shareOutside = (keys: number): void => constants.limitOutside(Math.max(0, outsideBytes - (keys > plan.keys ? keys : 0)));
  const openSession: Server['openSession'] = async (evaluationKeys, { publicKey } = {}) => {
    const { ledger } = runtime;
    const outgoing = rerandomize === undefined ? undefined : createRerandomizer(options.engine, parameters, publicKey, floodBits);
    // Workers hold the keys of every session, and what a run needs of ciphertexts.
    const keys = memory.keys + (workers === undefined ? ledger.of('key').bytes : sessions * memory.keys);
    requireSessionMemory(memory, plan, { keys, ciphertexts: ledger.of('ciphertext').bytes }, memoryBytes, outsideBytes);
    shareOutside(keys);
    const place = workers === undefined ? undefined : await workers.open(forWorkers(evaluationKeys));
    const engine = workers === undefined ? await openEngine(runtime, evaluationKeys) : runtime.openKeyless();
    const runSegment = workers === undefined || place === undefined ? undefined : workers.runner(place, engine);
    const open = new Set<Run>();
    let disposed = false;
    sessions++;
    // A relinearisation key is random: no two clients have the same.
    const keysName = nameOf(evaluationKeys instanceof Uint8Array ? evaluationKeys : evaluationKeys.relinKeys);
    const begin = (from: readonly Uint8Array[] | Uint8Array, keep?: KeepOptions, state?: RunState<CiphertextHandle<unknown>>): Run => {
      const ids = { runId: `${instance}/${runs++}`, keys: keysName };
      const context = { program, engine, constant: (id: number) => constants.get(id), maskKey, ...ids };
      const extra = {
        ...(outgoing === undefined ? {} : { outgoing }),
        ...(runSegment === undefined ? {} : { runSegment }),
        ...(state === undefined ? {} : { state }),
      };
      const run = createRun({ ...context, ...extra }, from, keep);
      for (const earlier of open) if (earlier.state === 'gone') open.delete(earlier);
      open.add(run);
      return run;
    };
    const start: Session['start'] = (inputs, keep) => begin(inputs, keep);
    const sequences = new Set<Sequence>();
    const openSequence = (from: readonly Uint8Array[] | Uint8Array, keep?: KeepOptions): Sequence => {
      const onDispose = () => sequences.delete(sequence);
      const beginWith: SequenceContext<CiphertextHandle<unknown>>['begin'] = (inputs, state, options) => begin(inputs, options, state);
      const sequence = createSequence({ program, engine, keys: keysName, begin: beginWith, onDispose }, from, keep);
      sequences.add(sequence);
      return sequence;
    };
    return {
      ledger,
      start,
      restore: (saved, keep) => begin(saved, keep),
      sequence: (initial) => openSequence(initial),
      restoreSequence: openSequence,
      async run(inputs, runOptions) {
        const run = start(inputs);
        try {
          return await run.proceed(runOptions);
        } finally {
          run.dispose();
          open.delete(run);
        }
      },
      dispose() {
        if (disposed) return;
        disposed = true;
        sessions--;
        for (const run of open) run.dispose();
        for (const sequence of sequences) sequence.dispose();
        engine.close();
        shareOutside(ledger.of('key').bytes);
        if (place !== undefined) workers?.close(place);
      },
    };
  };
  const prepare = async ({ onProgress, signal }: PrepareOptions = {}): Promise<void> => {
    if (workers !== undefined) {
      await unlessAborted(workers.prepare(), signal, 'prepare');
      onProgress?.(program.constants.length, program.constants.length);
      return;
    }
    const turns = createTurns();
    for (const id of program.constants.keys()) {
      throwIfAborted(signal, 'prepare');
      if (!constants.prepare(id)) break;
      if (turns.due()) {
        onProgress?.(constants.progress.done, constants.progress.total);
        await turns.next();
      }
    }
    onProgress?.(constants.progress.done, constants.progress.total);
  };
  return {
    engine: options.engine,
    execution: runtime.execution,
    manifest: manifestOf(program),
    evaluationKeyBytes: runtime.evaluationKeysBytes,
    get memoryUse() {
      return {
        constants: constants.use,
        keys: { bytes: runtime.ledger.of('key').bytes, limitBytes: plan.keys, moved: runtime.movedKeys },
      };
    },
    prepare,
    openSession,
    fromSeal: (ciphertexts) => fromSeal(parameters, ciphertexts),
    toSeal: (outputs) => toSeal(parameters, outputs),
    dispose() {
      workers?.dispose();
      constants.dispose();
      keyless.close();
      runtime.dispose();
    },
  };
}

const NAMING_BYTES = 1 << 16;

/** Names an upload of keys: its beginning is a key of the client, random in all its bytes. */
function nameOf(evaluationKeys: Uint8Array): string {
  return bytesToHex(sha256(evaluationKeys.subarray(0, NAMING_BYTES)));
}

const MOST_WORKERS = 64;

function countOf({ workers = 0 }: ServerOptions): number {
  return typeof workers === 'number' ? workers : workers.count;
}

async function openPool(
  program: Program,
  options: ServerOptions & { readonly engine: ServerEngine },
  limits: MemoryLimits,
): Promise<WorkerPool | undefined> {
  const count = countOf(options);
  if (!Number.isInteger(count) || count < 0 || count > MOST_WORKERS) {
    throw new HeError('PARAMETERS_INVALID', `${count} workers`, { op: 'createServer', hint: `Give a number from 0 to ${MOST_WORKERS}.` });
  }
  const url = typeof options.workers === 'object' ? options.workers.url : undefined;
  return count === 0 ? undefined : createWorkerPool(program, options.engine, { count, url, limits });
}

function openEngine(runtime: EngineRuntime, keys: Uint8Array | SealKeyObjects): AnyEngine | Promise<AnyEngine> {
  return keys instanceof Uint8Array ? runtime.open(keys) : runtime.openSeal(keys);
}

function forWorkers(keys: Uint8Array | SealKeyObjects): Uint8Array {
  if (keys instanceof Uint8Array) return keys;
  throw new HeError('WIRE_UNSUPPORTED', 'workers do not take keys as SEAL saves them', {
    op: 'openSession',
    hint: 'Use threads instead of workers.',
  });
}

/** Callers without types may ask for anything. */
function requireEngine(name: string): void {
  if (SERVER_ENGINES.some((known) => known === name)) return;
  throw new HeError('PARAMETERS_INVALID', `there is no server engine '${name}'`, {
    op: 'createServer',
    hint:
      name === 'debug'
        ? 'To look inside takes the secret key, which no server has: use debugProgram of tfjs-he-backend/debug where the data is.'
        : `Use one of ${SERVER_ENGINES.join(', ')}.`,
  });
}

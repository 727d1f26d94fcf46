import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { type AnyEngine, createEngineRuntime, type EngineRuntime } from '../engines/runtime.js';
import { HeError } from '../errors.js';
import { ConstantCache } from '../executor/constants.js';
import { createWorkerPool, type WorkerPool } from '../executor/worker_pool.js';
import { createParameters } from '../parameters/parameters.js';
import { checkRefreshMasks } from '../program/check_refresh_masks.js';
import { manifestOf } from '../program/manifest_of.js';
import type { Program } from '../program/program.js';
import { createTurns, throwIfAborted, unlessAborted } from '../turns.js';
import type { SealKeyObjects } from '../wire/seal_keys.js';
import { leastServerMemory, requireServerMemory, requireSessionMemory, serverMemory, shareMemory } from './memory.js';
import { createRerandomizer } from './rerandomizer.js';
import { fromSeal, toSeal } from './seal_ciphertexts.js';
import { serverSettings } from './server_options.js';
import { createSession } from './session.js';
import type { PrepareOptions, Server, ServerOptions, Session } from './types.js';

/**
 * A server for a compiled program: encoded constants and the engine's context are shared by all sessions.
 * @throws HeError RUNTIME_UNSUPPORTED (no WebAssembly exception handling), PARAMETERS_INVALID (an option), PARAMETERS_INSECURE,
 *   PARAMETERS_MASK_SLACK (masks of less than 40 bits over the values that the program admits), MEMORY_BUDGET (before anything is allocated: not even
 *   contexts, ciphertexts and what is used at once of keys and constants fit).
 */
export async function createServer(program: Program, options: ServerOptions = {}): Promise<Server> {
  const parameters = createParameters(program.parameters);
  const settings = serverSettings(options, parameters);
  const { engine: name, maskKey, floodBits, threads, seed, memoryBytes, outsideBytes } = settings;
  checkRefreshMasks(program, parameters);
  const memory = serverMemory(program, parameters, name);
  const least = leastServerMemory(program, parameters, name, outsideBytes);
  requireServerMemory(least, memoryBytes);
  const plan = shareMemory(memory, least, memoryBytes);
  const runtime = await createEngineRuntime(name, parameters, program.galoisSteps, { threads, keyMemoryBytes: plan.keys, seed });
  const { ledger } = runtime;
  const pool = settings.workers.count === 0 ? undefined : createWorkerPool(program, name, { ...settings.workers, limits: plan, seed });
  const workers = await pool?.catch((error: unknown) => {
    runtime.dispose();
    throw error;
  });
  const keyless = runtime.openKeyless();
  const constants = new ConstantCache(program, keyless, name === 'mock' ? undefined : { bytes: plan.constants, outsideBytes });
  const nextRunId = runIds();
  /** Those there are, and those whose keys are being loaded. */
  let sessions = 0;
  const opened = new Set<Session>();

  /** Keys first, constants in what they leave. */
  const shareOutside = (keys: number): void => constants.limitOutside(Math.max(0, outsideBytes - (keys > plan.keys ? keys : 0)));
  const openSession: Server['openSession'] = async (evaluationKeys, { publicKey } = {}) => {
    const outgoing = floodBits === undefined ? undefined : createRerandomizer(name, parameters, publicKey, floodBits);
    // Workers hold the keys of every session, and what a run needs of ciphertexts.
    const keyBytes = memory.keys + (workers === undefined ? ledger.of('key').bytes : sessions * memory.keys);
    requireSessionMemory(memory, plan, { keys: keyBytes, ciphertexts: ledger.of('ciphertext').bytes }, memoryBytes, outsideBytes);
    shareOutside(keyBytes);
    sessions++;
    const close = (): void => {
      sessions--;
      shareOutside(ledger.of('key').bytes);
    };
    const { engine, runSegment, release } = await openKeys(runtime, workers, evaluationKeys).catch((error: unknown) => {
      close();
      throw error;
    });
    const session = createSession({
      program,
      engine,
      constant: (id) => constants.get(id),
      maskKey,
      keys: nameOf(evaluationKeys),
      ...(outgoing === undefined ? {} : { outgoing }),
      ...(runSegment === undefined ? {} : { runSegment }),
      ledger,
      nextRunId,
      onDispose() {
        opened.delete(session);
        close();
        release();
      },
    });
    opened.add(session);
    return session;
  };
  return {
    engine: name,
    execution: runtime.execution,
    manifest: manifestOf(program),
    evaluationKeyBytes: runtime.evaluationKeysBytes,
    get memoryUse() {
      return {
        constants: constants.use,
        keys: { bytes: ledger.of('key').bytes, limitBytes: plan.keys, moved: runtime.movedKeys },
      };
    },
    async prepare(prepareOptions = {}) {
      if (workers === undefined) await encodeConstants(program, constants, prepareOptions);
      else await prepareWorkers(program, workers, prepareOptions);
    },
    openSession,
    fromSeal: (ciphertexts) => fromSeal(parameters, ciphertexts),
    toSeal: (outputs) => toSeal(parameters, outputs),
    dispose() {
      for (const session of opened) session.dispose();
      workers?.dispose();
      constants.dispose();
      keyless.close();
      runtime.dispose();
    },
  };
}

/** Names of runs. Masks must not repeat, even when a server restarts with the same maskKey. */
function runIds(): () => string {
  const instance = bytesToHex(randomBytes(16));
  let runs = 0;
  return () => `${instance}/${runs++}`;
}

async function encodeConstants(program: Program, constants: ConstantCache<unknown>, { onProgress, signal }: PrepareOptions): Promise<void> {
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
}

async function prepareWorkers({ constants }: Program, workers: WorkerPool, { onProgress, signal }: PrepareOptions): Promise<void> {
  await unlessAborted(workers.prepare(), signal, 'prepare');
  onProgress?.(constants.length, constants.length);
}

/** An engine with a client's keys, here or in the workers. `release` is for after the engine has been closed. */
async function openKeys(runtime: EngineRuntime, workers: WorkerPool | undefined, keys: Uint8Array | SealKeyObjects) {
  if (workers === undefined) {
    const engine: AnyEngine = keys instanceof Uint8Array ? runtime.open(keys) : await runtime.openSeal(keys);
    return { engine, runSegment: undefined, release() {} };
  }
  if (!(keys instanceof Uint8Array)) {
    throw new HeError('WIRE_UNSUPPORTED', 'workers do not take keys as SEAL saves them', {
      op: 'openSession',
      hint: 'Use threads instead of workers.',
    });
  }
  const place = await workers.open(keys);
  const engine = runtime.openKeyless();
  return { engine, runSegment: workers.runner(place, engine), release: () => workers.close(place) };
}

const NAMING_BYTES = 1 << 16;

/** Names an upload of keys: its beginning is a key of the client, random in all its bytes, so that no two clients have the same. */
function nameOf(keys: Uint8Array | SealKeyObjects): string {
  const first = keys instanceof Uint8Array ? keys : keys.relinKeys;
  return bytesToHex(sha256(first.subarray(0, NAMING_BYTES)));
}

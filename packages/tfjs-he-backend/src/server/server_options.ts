import { randomBytes } from '@noble/hashes/utils.js';
import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { defaultServerEngine } from './default_engine.js';
import { defaultOutsideBytes, MEMORY_LIMIT } from './memory.js';
import { checkFloodBits } from './rerandomizer.js';
import { SERVER_ENGINES, type ServerEngine, type ServerOptions } from './types.js';

/** Options of a server with every value given and checked. */
export interface ServerSettings {
  readonly engine: ServerEngine;
  readonly maskKey: Uint8Array;
  /** Undefined: outputs and refreshes leave as they are. */
  readonly floodBits: number | undefined;
  /** Undefined: the mock engine's own. */
  readonly seed: number | undefined;
  readonly threads: number;
  readonly workers: { readonly count: number; readonly url: URL | undefined };
  readonly memoryBytes: number;
  /** 0 but for `simd` without workers, each of which would have its own. */
  readonly outsideBytes: number;
}

const MASK_KEY_BYTES = 32;
const MOST_WORKERS = 64;

/** @throws HeError PARAMETERS_INVALID, which names the option. */
export function serverSettings(options: ServerOptions, parameters: Parameters): ServerSettings {
  const { engine = defaultServerEngine(), maskKey = randomBytes(MASK_KEY_BYTES), rerandomize } = options;
  requireEngine(engine);
  if (maskKey.length !== MASK_KEY_BYTES) throw invalid(`maskKey has ${maskKey.length} bytes`, `Give ${MASK_KEY_BYTES} random bytes.`);
  const floodBits = rerandomize === undefined ? undefined : (rerandomize.floodBits ?? 0);
  checkFloodBits(floodBits ?? 0, parameters);
  const { workers = 0 } = options;
  const [count, url] = typeof workers === 'number' ? [workers, undefined] : [workers.count, workers.url];
  if (!Number.isInteger(count) || count < 0 || count > MOST_WORKERS) {
    throw invalid(`${count} workers`, `Give a number from 0 to ${MOST_WORKERS}.`);
  }
  return {
    engine,
    maskKey,
    floodBits,
    seed: options.seed,
    threads: options.threads ?? 1,
    workers: { count, url },
    memoryBytes: options.memoryBytes ?? MEMORY_LIMIT,
    outsideBytes: engine === 'simd' && count === 0 ? (options.outsideBytes ?? defaultOutsideBytes()) : 0,
  };
}

/** Callers without types may ask for anything. */
function requireEngine(name: string): void {
  if (SERVER_ENGINES.some((known) => known === name)) return;
  throw invalid(
    `there is no server engine '${name}'`,
    name === 'debug'
      ? 'To look inside takes the secret key, which no server has: use debugProgram of tfjs-he-backend/debug where the data is.'
      : `Use one of ${SERVER_ENGINES.join(', ')}.`,
  );
}

function invalid(message: string, hint: string): HeError {
  return new HeError('PARAMETERS_INVALID', message, { op: 'createServer', hint });
}

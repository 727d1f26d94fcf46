import { type Profile, type Program, profile } from 'tfjs-he-backend/compiler';
import {
  createServer,
  type Manifest,
  type PrepareOptions,
  type Server,
  type ServerEngine,
  type Session,
  type SessionOptions,
} from 'tfjs-he-backend/server';
import { openModel } from '../hub/model_files.js';
import type { HeMetadata, PretrainedConfig } from '../pretrained/config.js';
import { SERVER_BUNDLES } from '../pretrained/server_bundles.js';
import { type EvaluatorOptions, evaluatorOf } from './evaluator.js';
import type { EncryptedFhe } from './he_model_client.js';
import { compileServed, type ServedProgramOptions } from './served_program.js';

export interface ServerLoadOptions extends Omit<ServedProgramOptions, 'engine'>, EvaluatorOptions {
  /** Default `execute`. */
  readonly fhe?: EncryptedFhe;
  /** Secret of the refresh masks, 32 bytes; default: drawn at random. */
  readonly maskKey?: Uint8Array;
  /** Seed of the noise in `simulate`. */
  readonly seed?: number;
}

/**
 * The server of one model: it has the program and the weights, sees ciphertexts only, and has no way to decrypt. A `Server` of
 * tfjs-he-backend, so whatever hosts those hosts this.
 *
 *     const server = await HeModelServer.from_pretrained('power-banking77');
 *     const session = await server.openSession(keys);                     // server.manifest is the client's; it sends the keys
 *     const { outputs } = await session.run(ciphertexts, { refresh });    // refresh: a round trip to the client
 */
export class HeModelServer implements Server {
  readonly config: PretrainedConfig;
  /** Intervals, depth and default parameters of the model. */
  readonly he: HeMetadata;
  readonly program: Program;
  readonly #server: Server;

  private constructor(config: PretrainedConfig, he: HeMetadata, program: Program, server: Server) {
    this.config = config;
    this.he = he;
    this.program = program;
    this.#server = server;
  }

  /**
   * Loads the polynomial model, compiles it, and forgets the plain weights.
   *
   * @param model a model of this package, a folder (Node), a URL, or `owner/name` at `env.remoteHost`
   * @throws UnknownModelError, ModelUnavailableError, AssetError, HeError (COMPILE_FAILED, RUNTIME_UNSUPPORTED, PARAMETERS_INVALID, MEMORY_BUDGET), or
   *   the reason of an aborted signal
   */
  static async from_pretrained(model: string | URL, options: ServerLoadOptions = {}): Promise<HeModelServer> {
    const { fhe = 'execute', signal, progress_callback, cache, compile, ...serverOptions } = options;
    const evaluator = evaluatorOf(fhe, options);
    const files = await openModel(model, SERVER_BUNDLES, options);
    const { program, he } = await compileServed(files, { ...options, engine: costEngine(evaluator.engine) });
    try {
      return new HeModelServer(files.config, he, program, await createServer(program, { ...serverOptions, ...evaluator }));
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  get name(): string {
    return this.config.name;
  }

  /** How the engine computes here: kernels and threads. */
  get execution(): Server['execution'] {
    return this.#server.execution;
  }

  get engine(): ServerEngine {
    return this.#server.engine;
  }

  /** What the client must know, and all it may. */
  get manifest(): Manifest {
    return this.#server.manifest;
  }

  get evaluationKeyBytes(): number {
    return this.#server.evaluationKeyBytes;
  }

  get memoryUse(): Server['memoryUse'] {
    return this.#server.memoryUse;
  }

  /** What a run takes: levels, key switches, bytes, predicted latency, per layer. */
  profile(): Profile {
    return profile(this.program, ROUND_TRIP_MS, costEngine(this.engine));
  }

  /** Encodes all constants now instead of during the first run. @throws HeError ABORTED */
  prepare(options?: PrepareOptions): Promise<void> {
    return this.#server.prepare(options);
  }

  /**
   * Loads a client's evaluation keys; a server that re-randomises what leaves (`rerandomize`) needs the client's public key too.
   *
   * @throws HeError WIRE_*, PARAMETERS_INVALID (no public key)
   */
  openSession(evaluationKeys: Parameters<Server['openSession']>[0], options?: SessionOptions): Promise<Session> {
    return this.#server.openSession(evaluationKeys, options);
  }

  /** Fresh ciphertexts that any program saved with SEAL 4. @throws HeError WIRE_* */
  fromSeal(ciphertexts: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return this.#server.fromSeal(ciphertexts);
  }

  /** Outputs of a run as SEAL 4 loads them. @throws HeError WIRE_* */
  toSeal(outputs: readonly Uint8Array[]): Uint8Array[] {
    return this.#server.toSeal(outputs);
  }

  dispose(): void {
    this.#server.dispose();
  }
}

const ROUND_TRIP_MS = 20;

/** Whose time is predicted: mock's programs are those of the default engine. */
function costEngine(engine: ServerEngine): 'seal' | 'simd' {
  return engine === 'seal' ? 'seal' : 'simd';
}

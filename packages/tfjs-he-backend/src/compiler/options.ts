import { HeError } from '../errors.js';
import { MEMORY_LIMIT } from '../server/memory.js';
import { type CostEngine, type Costs, checkCosts, defaultCosts, engineOf } from './costs.js';

export interface CompileOptions {
  /**
   * Shape of the only input; for a model with the batch, e.g. [1, 32, 64], where the declared shape with 1 for the batch is the default. A
   * batch larger than 1 packs that many inputs into one ciphertext: one run for all of them. A function has no default.
   */
  readonly inputShape?: readonly number[];
  /** Shapes of several inputs: by input name of a model, or of a function's parameters in their order, e.g. {x: [8, 4], y: [4]}. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /**
   * Inputs, by name, that are not sent but are what an output, by index, was in the run before: `{cache: 1}`. Both have one shape. Such an output stays at the server,
   * at the top level: it is refreshed, unless it is a sum of inputs, moved and with small integer coefficients at most.
   */
  readonly state?: Readonly<Record<string, number>>;
  /** Default 128. */
  readonly securityBits?: 128 | 192 | 256;
  /**
   * Bits of precision wanted in the outputs, absolute (default 12). Taken as the noise of the scheme plus a margin for its growth through the
   * model: ask for more where values are large.
   */
  readonly precisionBits?: number;
  /**
   * log2 of the largest absolute value of a refreshed tensor, and of an output (default 6): masks and primes are chosen for it. Beyond it, results on ciphertexts may be wrong without notice; the mock
   * engine (`fhe: 'simulate'`, `predictPrecision`) reports it.
   */
  readonly valueBits?: number;
  /** Network time of one refresh round, both ways, in ms (default 20). */
  readonly roundTripMs?: number;
  /** Upper bound on relinearisation and Galois keys in the server's memory, in bytes (default 1 GB). */
  readonly maxEvaluationKeyBytes?: number;
  /**
   * Upper bound on the WebAssembly memory of a server with one session, in bytes (default 3 GiB, the limit of servers), with as few constants at once as the engine can work with, and on simd as few
   * keys.
   */
  readonly maxMemoryBytes?: number;
  /**
   * The server's engine, whose time is minimised (default `simd`). A program runs on any engine; `simd` shares work between operations, so that other parameters, and
   * more rotation keys, may be worth it.
   */
  readonly engine?: CostEngine | undefined;
  /** Threads of that engine (default 1; of `simd`): what refreshes and rotations cost beside each other depends on it. Not beside `costs`, which are of as many threads as they were measured with. */
  readonly threads?: number | undefined;
  /** Times of the machine that will run the program, as `npm run calibrate` measures them for one engine (default: of a 2-vCPU Xeon, one thread). */
  readonly costs?: Costs;
  /**
   * How products of encrypted matrices are computed: on a grid of powers of two (Jiang et al., 2018), in bicyclic packing (Chen et al., 2024; extents padded until no two have a common
   * factor), or in either way, whichever is predicted to take less time (`auto`, the default).
   */
  readonly matmul?: MatMulMethod;
  /**
   * How tensors lie in slots where there is a choice: inputs, results of maps, products. `auto` (default): several ways, one kind throughout or the cheapest map by map, compete by predicted time. Otherwise
   * one kind: `feature-major` (tokens next to each other), `token-major` (features next to each other), `interleaved` (where they are read from, with gaps), `replicated` (features several times in a row, inputs
   * by the client), `tiled` (over at least two ciphertexts). What a product of encrypted matrices needs, and a tensor for which there is no room, stays as it is. Refused with COMPILE_FAILED where
   * it takes many times the rotations of `auto`.
   */
  readonly layout?: LayoutChoice;
  /** Ring degrees to try (default 4096 to 32768). */
  readonly polyModulusDegrees?: readonly number[];
}

export type MatMulMethod = 'auto' | 'jkls' | 'bicyclic';

export const LAYOUT_CHOICES = ['auto', 'feature-major', 'token-major', 'interleaved', 'replicated', 'tiled'] as const;
export type LayoutChoice = (typeof LAYOUT_CHOICES)[number];

/** Options with every value given and checked. */
export interface CompileSettings {
  readonly securityBits: 128 | 192 | 256;
  readonly precisionBits: number;
  readonly valueBits: number;
  readonly roundTripMs: number;
  readonly maxEvaluationKeyBytes: number;
  readonly maxMemoryBytes: number;
  readonly costs: Costs;
  readonly matmul: MatMulMethod;
  readonly layout: LayoutChoice;
  readonly polyModulusDegrees: readonly number[];
}

const DEGREES: readonly number[] = [4096, 8192, 16384, 32768];

/** @throws HeError PARAMETERS_INVALID, which names the option. */
export function compileSettings(options: CompileOptions): CompileSettings {
  const { securityBits = 128, polyModulusDegrees = DEGREES } = options;
  if (![128, 192, 256].includes(securityBits)) throw invalid('securityBits', 'Use 128, 192 or 256.');
  if (polyModulusDegrees.length === 0 || !polyModulusDegrees.every((degree) => DEGREES.includes(degree))) {
    throw invalid('polyModulusDegrees', `Choose from ${DEGREES.join(', ')}.`);
  }
  const { matmul = 'auto', layout = 'auto' } = options;
  if (!['auto', 'jkls', 'bicyclic'].includes(matmul)) throw invalid('matmul', 'Use auto, jkls or bicyclic.');
  if (!LAYOUT_CHOICES.includes(layout)) throw invalid('layout', `Use one of ${LAYOUT_CHOICES.join(', ')}.`);
  return Object.freeze({
    securityBits,
    matmul,
    layout,
    polyModulusDegrees,
    precisionBits: inRange('precisionBits', options.precisionBits ?? 12, 1, 40),
    valueBits: inRange('valueBits', options.valueBits ?? 6, 0, 40),
    roundTripMs: inRange('roundTripMs', options.roundTripMs ?? 20, 0, 1e6),
    costs: costsOf(options),
    maxMemoryBytes: inRange('maxMemoryBytes', options.maxMemoryBytes ?? MEMORY_LIMIT, 0, Number.MAX_VALUE),
    maxEvaluationKeyBytes: inRange('maxEvaluationKeyBytes', options.maxEvaluationKeyBytes ?? 1e9, 0, Number.MAX_VALUE),
  });
}

/** Engine of a program, unless options say otherwise: that of servers. */
export const DEFAULT_ENGINE: CostEngine = 'simd';

function costsOf({ engine, threads, costs }: CompileOptions): Costs {
  if (engine !== undefined && engine !== 'seal' && engine !== 'simd') throw invalid('engine', 'Use seal or simd.');
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 64)) throw invalid('threads', 'Use 1 to 64.');
  if (costs === undefined) return defaultCosts(engine ?? DEFAULT_ENGINE, threads);
  if (threads !== undefined) throw invalid('threads', 'Costs are of as many threads as they were measured with.');
  if (engine !== undefined && engineOf(costs) !== engine)
    throw invalid('costs', `They are of engine ${engineOf(costs)}, not of ${engine}.`);
  return checkCosts(costs);
}

function inRange(name: string, value: number, low: number, high: number): number {
  if (!(value >= low && value <= high)) throw invalid(name, `Give a number from ${low} to ${high}.`);
  return value;
}

function invalid(name: string, hint: string): HeError {
  return new HeError('PARAMETERS_INVALID', `compile option ${name} is out of range`, { op: 'compile', hint });
}

import type { LayersModel } from '@tensorflow/tfjs-layers';
import { BUG_HINT, HeError } from '../errors.js';
import { constantOf } from '../graph/constants.js';
import { depthOf } from '../graph/depth.js';
import type { TensorNode } from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import { MINIMUM_MASK_SLACK_BITS, maskSlackBits } from '../ring/mask.js';
import { leastServerMemory, totalMemory } from '../server/memory.js';
import { createTurns, throwIfAborted } from '../turns.js';
import { attempt } from './attempt.js';
import { checkEmitted, checkGraph, checkLevels } from './check_stages.js';
import { type CircuitWork, circuitCost, placementMs } from './circuit_cost.js';
import { compileState } from './compile_state.js';
import { keySwitchingKeyBytes, programMs } from './cost_model.js';
import { engineOf } from './costs.js';
import { emitProgram, measureWork } from './emit.js';
import { hoistByCost } from './hoist_rotations.js';
import { assignLevels, type LeveledCircuit } from './levels.js';
import type { Lowered } from './lower.js';
import { createLowerings } from './lowerings.js';
import { type CompileOptions, type CompileSettings, compileSettings } from './options.js';
import { candidateParameters } from './parameter_search.js';
import { precisionShortfall } from './precision_shortfall.js';
import { fitsWithoutRefresh, refreshFreeCandidates } from './refresh_free.js';
import { placeRefreshesByCost } from './refresh_placement.js';
import { restrictKeys } from './restrict_keys.js';
import { type TensorFunction, trace } from './trace.js';

/** What can be watched and cancelled while a model is compiled. */
export interface CompileControl {
  /** Parameter sets tried, of all that come into question. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Compiles a polynomial LayersModel, or any function of tensors with polynomial operations: traces it on the he backend, folds linear maps, and takes the parameters with the least predicted
 * latency. Yields to the event loop between parameter sets.
 * @throws HeError KERNEL_UNSUPPORTED (an operation without polynomial form), COMPILE_FAILED (no parameters fit), PARAMETERS_INVALID (an
 *   option), GRAPH_INVALID, ABORTED.
 */
export async function compile(model: LayersModel | TensorFunction, options: CompileOptions & CompileControl = {}): Promise<Program> {
  return compileRecorded(await trace(model, options), options);
}

/** The same from a tensor graph. */
export async function compileRecorded(outputs: readonly TensorNode[], options: CompileOptions & CompileControl = {}): Promise<Program> {
  const { onProgress, signal } = options;
  const search = searchParameters(outputs, compileSettings(options), compileState(outputs, options.state));
  const turns = createTurns();
  for (;;) {
    throwIfAborted(signal, 'compile');
    const step = search.next();
    if (step.done === true) return step.value;
    onProgress?.(step.value.done, step.value.total);
    if (turns.due()) await turns.next();
  }
}

/** The same from a tensor graph, at one go. */
export function compileGraph(outputs: readonly TensorNode[], options: CompileOptions = {}): Program {
  const search = searchParameters(outputs, compileSettings(options), compileState(outputs, options.state));
  for (;;) {
    const step = search.next();
    if (step.done === true) return step.value;
  }
}

/**
 * The same for given parameters, whatever they cost and however secure they are: for tests on rings that are too small to be used.
 * @param slots that layouts may take: with fewer than there are, small tensors lie in several ciphertexts
 * @throws HeError COMPILE_FAILED, GRAPH_INVALID.
 */
export function compileGraphFor(
  outputs: readonly TensorNode[],
  parameters: Parameters,
  slots = parameters.slots,
  options: Pick<CompileOptions, 'state' | 'matmul' | 'layout'> = {},
): Program {
  const settings = compileSettings(options);
  const lowered = createLowerings(simplifyEncrypted(outputs), [slots], compileState(outputs, options.state), settings).at(slots);
  const fitting = cheapestOf(lowered, parameters, settings, Number.POSITIVE_INFINITY);
  if (fitting instanceof HeError) throw fitting;
  const [found] = fitting;
  if (found === undefined) throw new HeError('COMPILE_FAILED', 'no refresh policy', { op: 'compile', hint: BUG_HINT });
  const program = withOutputShapes(found.program, outputs);
  checkEmitted(program, 'program');
  return program;
}

function simplifyEncrypted(outputs: readonly TensorNode[]): TensorNode[] {
  const simplified = simplify(outputs);
  if (simplified.some((output) => constantOf(output) !== null)) {
    throw new HeError('GRAPH_INVALID', 'an output does not depend on any encrypted input', {
      op: 'compile',
      hint: 'Compute it in the clear.',
    });
  }
  checkGraph(simplified);
  return simplified;
}

function* searchParameters(
  outputs: readonly TensorNode[],
  settings: CompileSettings,
  state: ReadonlyMap<number, string>,
): Generator<{ readonly done: number; readonly total: number }, Program> {
  const simplified = simplifyEncrypted(outputs);
  const refreshing = candidateParameters(settings);
  const refreshFree = state.size > 0 ? [] : refreshFreeCandidates(settings, Math.max(...simplified.map(depthOf)));
  const candidates = [...refreshFree, ...refreshing];
  if (candidates.length === 0) throw precisionShortfall(settings);
  const lowerings = createLowerings(
    simplified,
    [...new Set(candidates.map(({ slots }) => slots))].sort((a, b) => a - b),
    state,
    settings,
  );
  const total = candidates.length;
  let done = 0;
  let best: Found | null = null;
  let reason: HeError | null = null;
  let slotsOfReason = 0;
  for (const slotCounts of lowerings.stages) {
    const found: Found[] = [];
    let fastest = Number.POSITIVE_INFINITY;
    for (const parameters of candidates.filter(({ slots }) => slotCounts.includes(slots))) {
      yield { done: done++, total };
      const limit = Math.min(REFINED_RANGE * fastest, mostRefined(parameters) * (best?.ms ?? Number.POSITIVE_INFINITY));
      const fitting = cheapestOf(circuitsFor(lowerings.at(parameters.slots), parameters), parameters, settings, limit);
      if (fitting instanceof HeError) {
        // Stages may go from large rings to small ones; what a larger ring lacks is nearer to what is needed.
        if (parameters.slots >= slotsOfReason) reason = closer(reason, fitting);
        slotsOfReason = Math.max(slotsOfReason, parameters.slots);
      } else {
        found.push(...fitting);
        fastest = Math.min(fastest, ...fitting.map(({ ms }) => ms));
      }
    }
    const before: Found | null = best;
    // Moving refreshes takes longer than placing them: for the best sets only.
    for (const candidate of worthRefining(found)) {
      yield { done, total };
      const refined = hoisted(refine(candidate, settings), settings);
      if (best === null || refined.ms < best.ms) best = refined;
    }
    // From one stage to the next, rings are twice as large, and ciphertexts half as many at best, or the other way round: where that does not pay, the next step does not either.
    if (before !== null && best === before) break;
  }
  if (best === null) {
    if (reason === null || refreshing.length === 0) throw precisionShortfall(settings);
    throw reason;
  }
  const program = withOutputShapes(best.program, outputs);
  checkEmitted(program, 'program');
  return program;
}

function hasRoomForMasks(parameters: Parameters): boolean {
  return maskSlackBits(parameters) >= MINIMUM_MASK_SLACK_BITS;
}

/** Of the ways to compute a model, those that parameters without room for masks can run. */
function circuitsFor(lowered: readonly Lowered[] | HeError, parameters: Parameters): readonly Lowered[] | HeError {
  if (lowered instanceof HeError || hasRoomForMasks(parameters)) return lowered;
  return lowered.filter(({ circuit }) => fitsWithoutRefresh(circuit, parameters));
}

/** The fastest circuit, and those that are nearly as fast: none when all take longer than `limitMs`. */
function cheapestOf(
  lowered: readonly Lowered[] | HeError,
  parameters: Parameters,
  settings: CompileSettings,
  limitMs: number,
): readonly Found[] | HeError {
  if (lowered instanceof HeError) return lowered;
  let found: Found[] = [];
  let limit = limitMs;
  let reason: HeError | null = null;
  for (const circuit of lowered) {
    const one = attempt(() => cheapest(circuit, parameters, settings, limit));
    if (one instanceof HeError) reason = closer(reason, one);
    else if (one !== null) {
      limit = Math.min(limit, SIMILAR * one.ms);
      found = [...found, one].filter(({ ms }) => ms <= limit);
    }
  }
  return found.length === 0 && reason !== null ? reason : found.sort((a, b) => a.ms - b.ms);
}

/** The fastest sets of a stage, each with its fastest circuit; and other circuits that are nearly as fast, each with its fastest set. */
function worthRefining(found: readonly Found[]): Found[] {
  const sorted = [...found].sort((a, b) => a.ms - b.ms);
  const sets = sorted.filter((one, i) => sorted.findIndex(({ parameters }) => parameters === one.parameters) === i).slice(0, REFINED);
  const circuits = sorted.filter((one, i) => sorted.findIndex(({ lowered }) => lowered === one.lowered) === i);
  const similar = SIMILAR * (sorted[0]?.ms ?? 0);
  return [...sets, ...circuits.filter((one) => one.ms <= similar && !sets.includes(one))];
}

interface Found {
  readonly lowered: Lowered;
  readonly parameters: Parameters;
  readonly leveled: LeveledCircuit;
  readonly program: Program;
  readonly ms: number;
}

/** Parameter sets, of those with the least latency of a stage, whose refreshes are placed by search. */
const REFINED = 3;
/** Circuits that take longer than another by less than this factor may take less time in the end. */
const SIMILAR = 1.1;

/** What takes longer than the fastest known set by this factor, takes longer also with refreshes moved and rotations hoisted: the more levels between two refreshes, the more that gains. */
function mostRefined({ maxLevel, refreshLevel }: Parameters): number {
  return 1 + 0.1 * (maxLevel - refreshLevel - 1);
}

/** Sets slower than the fastest by more than this are not refined. */
const REFINED_RANGE = 1.2;
/** Programs are not emitted where estimates are beyond the limit by this factor: they are off by 1 % at most for shipped models. */
const ESTIMATE_RANGE = 1.05;
/** Refreshes are moved for a gain of 3 %; for one of 10 % where that takes more rounds, which a faster engine would not make up for. */
const WORTH_MOVING = { sameRounds: 0.97, moreRounds: 0.9 };

/** The better of both refresh policies, with no more keys than the budget allows; null when both take longer than `limitMs`. */
function cheapest(lowered: Lowered, parameters: Parameters, settings: CompileSettings, limitMs: number): Found | null {
  const { maxLevel, refreshLevel } = parameters;
  const [lazy, together] = [false, true].map((refreshTogether) =>
    assignLevels(lowered.circuit, { maxLevel, refreshLevel, refreshTogether }),
  );
  let best: Found | null = null;
  for (const leveled of lazy === undefined || together === undefined ? [] : samePlacement(lazy, together) ? [lazy] : [lazy, together]) {
    const limit: number = best?.ms ?? limitMs;
    if (Number.isFinite(limit) && estimatedMs(lowered, leveled, parameters, settings) > ESTIMATE_RANGE * limit) continue;
    best = emitted(lowered, parameters, leveled, settings, limit) ?? best;
  }
  return best;
}

function samePlacement(a: LeveledCircuit, b: LeveledCircuit): boolean {
  return a.level.length === b.level.length && a.level.every((level, i) => level === b.level[i] && a.origin[i] === b.origin[i]);
}

/** By circuit: what its values make the engine do, as one emitted program of it did. */
const knownWork = new WeakMap<Lowered, CircuitWork>();

/** Milliseconds of a program that is not emitted. */
function estimatedMs(lowered: Lowered, leveled: LeveledCircuit, parameters: Parameters, settings: CompileSettings): number {
  const work = knownWork.get(lowered) ?? measureWork(lowered, leveled, parameters, engineOf(settings.costs));
  knownWork.set(lowered, work);
  return placementMs(leveled, circuitCost(work, parameters, settings));
}

/** The same with refreshes placed by cost, if that is faster. */
function refine(found: Found, settings: CompileSettings): Found {
  const { lowered, parameters, leveled } = found;
  if (!hasRoomForMasks(parameters)) return found;
  const costs = circuitCost(measureWork(lowered, leveled, parameters, engineOf(settings.costs)), parameters, settings);
  const rounds = { most: found.program.segments.length - 1, factor: WORTH_MOVING.sameRounds / WORTH_MOVING.moreRounds };
  for (const compared of [costs, { ...costs, rounds }]) {
    const refined = emitted(lowered, parameters, placeRefreshesByCost(lowered.circuit, parameters, compared), settings, found.ms);
    if (refined === null) return found;
    const moreRounds = refined.program.segments.length - 1 > rounds.most;
    if (refined.ms < (moreRounds ? WORTH_MOVING.moreRounds : WORTH_MOVING.sameRounds) * found.ms) return refined;
    // Where more rounds do not pay, the same number still may.
    if (!moreRounds) return found;
  }
  return found;
}

/** With rotations that an engine which shares work between them can share. */
function hoisted(found: Found, settings: CompileSettings): Found {
  if (engineOf(settings.costs) !== 'simd') return found;
  const program = hoistByCost(found.program, settings.maxEvaluationKeyBytes, (p) => programMs(p, settings));
  if (program !== found.program) checkEmitted(program, 'hoisting of rotations');
  return { ...found, program, ms: programMs(program, settings) };
}

/** Null when it takes longer than `limitMs` (which fewer keys do not change). */
function emitted(
  lowered: Lowered,
  parameters: Parameters,
  leveled: LeveledCircuit,
  settings: CompileSettings,
  limitMs: number,
): Found | null {
  const keyBytes = keySwitchingKeyBytes(parameters.polyModulusDegree, parameters.coeffModulus.length);
  const galoisKeys = Math.floor(settings.maxEvaluationKeyBytes / keyBytes) - 1;
  checkLevels(leveled, parameters);
  const unrestricted = emitProgram(lowered, leveled, parameters);
  if (programMs(unrestricted, settings) > limitMs) return null;
  if (galoisKeys < Math.min(1, unrestricted.galoisSteps.length)) throw keysTooLarge(keyBytes, settings);
  const { peakCiphertextBytes } = checkEmitted(unrestricted, 'program');
  requireMemory(unrestricted, parameters, peakCiphertextBytes, settings);
  const program = restrictKeys(unrestricted, galoisKeys, settings.costs);
  if (program !== unrestricted) checkEmitted(program, 'restriction to fewer keys');
  return { lowered, parameters, leveled, program, ms: programMs(program, settings) };
}

/** Of parameters that fail for the size of their keys alone: what those take at least. */
const leastKeys = new WeakMap<HeError, number>();

/** One key to relinearise and one to rotate: less is of no use. */
function keysTooLarge(keyBytes: number, { maxEvaluationKeyBytes }: CompileSettings): HeError {
  const least = 2 * keyBytes;
  const [needed, excess, budget] = [least, least - maxEvaluationKeyBytes, maxEvaluationKeyBytes].map((bytes) => (bytes / 1e6).toFixed(1));
  const message = `evaluation keys take at least ${needed} MB, ${excess} more than the budget maxEvaluationKeyBytes of ${budget}`;
  const error = new HeError('COMPILE_FAILED', message, {
    op: 'compile',
    hint: 'Raise it, or ask for less precision: keys grow with the square of the primes.',
  });
  leastKeys.set(error, least);
  return error;
}

/** @throws HeError COMPILE_FAILED when a server would take more memory than allowed. */
function requireMemory(program: Program, parameters: Parameters, peak: number, { maxMemoryBytes, costs }: CompileSettings): void {
  const least = totalMemory(leastServerMemory(program, parameters, engineOf(costs), Number.POSITIVE_INFINITY, peak));
  if (least <= maxMemoryBytes) return;
  const [needed, excess, budget] = [least, least - maxMemoryBytes, maxMemoryBytes].map((bytes) => (bytes / 2 ** 20).toFixed(0));
  throw new HeError(
    'COMPILE_FAILED',
    `a server takes at least ${needed} MiB at ring degree ${parameters.polyModulusDegree}, ${excess} more than the budget maxMemoryBytes of ${budget}`,
    { op: 'compile', hint: 'Raise it, allow smaller rings in polyModulusDegrees, or ask for less precision.' },
  );
}

/** Of two reasons why nothing fits, the one that takes the least to remove: keys before all else, the smaller ones first. */
function closer(known: HeError | null, other: HeError): HeError {
  if (known === null) return other;
  const [a = Number.POSITIVE_INFINITY, b = Number.POSITIVE_INFINITY] = [leastKeys.get(known), leastKeys.get(other)];
  return a < b ? known : other;
}

function withOutputShapes(program: Program, outputs: readonly TensorNode[]): Program {
  return {
    ...program,
    outputs: program.outputs.map((output, i) => ({
      ...output,
      layout: { ...output.layout, shape: outputs[i]?.shape ?? output.layout.shape },
    })),
  };
}

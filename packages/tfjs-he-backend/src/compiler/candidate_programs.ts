import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import { MINIMUM_MASK_SLACK_BITS, maskSlackBits } from '../ring/mask.js';
import { attempt } from './attempt.js';
import { checkEmitted, checkLevels } from './check_stages.js';
import { type CircuitWork, circuitCost, placementMs } from './circuit_cost.js';
import { keySwitchingKeyBytes, programMs } from './cost_model.js';
import { engineOf } from './costs.js';
import { emitProgram, measureWork } from './emit.js';
import { hoistByCost } from './hoist_rotations.js';
import { assignLevels, type LeveledCircuit } from './levels.js';
import type { Lowered } from './lowered.js';
import type { CompileSettings } from './options.js';
import { fitsWithoutRefresh } from './refresh_free.js';
import { placeRefreshesByCost } from './refresh_placement.js';
import { restrictKeys } from './restrict_keys.js';
import { closer, keysTooLarge, requireMemory, requireRoomForConstants } from './shortfalls.js';

/** A program for one set of parameters, before refinement or after. */
export interface Found {
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
export function mostRefined({ maxLevel, refreshLevel }: Parameters): number {
  return 1 + 0.1 * (maxLevel - refreshLevel - 1);
}

/** Sets slower than the fastest by more than this are not refined. */
export const REFINED_RANGE = 1.2;
/** Programs are not emitted where estimates are beyond the limit by this factor: they are off by 1 % at most for shipped models. */
const ESTIMATE_RANGE = 1.05;
/** Refreshes are moved for a gain of 3 %; for one of 10 % where that takes more rounds, which a faster engine would not make up for. */
const WORTH_MOVING = { sameRounds: 0.97, moreRounds: 0.9 };

function hasRoomForMasks(parameters: Parameters): boolean {
  return maskSlackBits(parameters) >= MINIMUM_MASK_SLACK_BITS;
}

/** Of the ways to compute a model, those that parameters without room for masks can run. */
export function circuitsFor(lowered: readonly Lowered[] | HeError, parameters: Parameters): readonly Lowered[] | HeError {
  if (lowered instanceof HeError || hasRoomForMasks(parameters)) return lowered;
  return lowered.filter(({ circuit }) => fitsWithoutRefresh(circuit, parameters));
}

/** The fastest circuit, and those that are nearly as fast: none when all take longer than `limitMs`. */
export function cheapestOf(
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
export function worthRefining(found: readonly Found[]): Found[] {
  const sorted = [...found].sort((a, b) => a.ms - b.ms);
  const sets = sorted.filter((one, i) => sorted.findIndex(({ parameters }) => parameters === one.parameters) === i).slice(0, REFINED);
  const circuits = sorted.filter((one, i) => sorted.findIndex(({ lowered }) => lowered === one.lowered) === i);
  const similar = SIMILAR * (sorted[0]?.ms ?? 0);
  return [...sets, ...circuits.filter((one) => one.ms <= similar && !sets.includes(one))];
}

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
export function refine(found: Found, settings: CompileSettings): Found {
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
export function hoisted(found: Found, settings: CompileSettings): Found {
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
  requireRoomForConstants(unrestricted, parameters);
  requireMemory(unrestricted, parameters, peakCiphertextBytes, settings);
  const program = restrictKeys(unrestricted, galoisKeys, settings.costs);
  if (program !== unrestricted) checkEmitted(program, 'restriction to fewer keys');
  return { lowered, parameters, leveled, program, ms: programMs(program, settings) };
}

import type { LayersModel } from '@tensorflow/tfjs-layers';
import { BUG_HINT, HeError } from '../errors.js';
import { constantOf } from '../graph/constants.js';
import { depthOf } from '../graph/depth.js';
import type { TensorNode } from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import { createTurns, throwIfAborted } from '../turns.js';
import { cheapestOf, circuitsFor, type Found, hoisted, mostRefined, REFINED_RANGE, refine, worthRefining } from './candidate_programs.js';
import { checkEmitted, checkGraph } from './check_stages.js';
import { compileState } from './compile_state.js';
import { circuitDepth } from './levels.js';
import { createLowerings, type Lowerings } from './lowerings.js';
import { type CompileOptions, type CompileSettings, compileSettings } from './options.js';
import { candidateParameters } from './parameter_search.js';
import { precisionShortfall } from './precision_shortfall.js';
import { refreshFreeCandidates } from './refresh_free.js';
import { closer } from './shortfalls.js';
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
  const depth = state.size > 0 ? Number.POSITIVE_INFINITY : Math.max(1, ...simplified.map(depthOf));
  const candidates = [...refreshFreeCandidates(settings, depth), ...refreshing];
  if (candidates.length === 0) throw precisionShortfall(settings, depth);
  const total = candidates.length;
  // Lowering a large model takes seconds, before which a caller may see progress, and cancel.
  yield { done: 0, total };
  const lowerings = createLowerings(
    simplified,
    [...new Set(candidates.map(({ slots }) => slots))].sort((a, b) => a - b),
    state,
    settings,
  );
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
        // Stages may go from large rings to small ones.
        reason = closer(reason, fitting, parameters.slots >= slotsOfReason);
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
  // Without a reason, all circuits are too deep to go without refreshes, for which no parameters have room.
  if (best === null) throw reason ?? precisionShortfall(settings, leastDepth(lowerings));
  const program = withOutputShapes(best.program, outputs);
  checkEmitted(program, 'program');
  return program;
}

/** Levels of the circuit that takes the fewest. */
function leastDepth(lowerings: Lowerings): number {
  const depths = lowerings.stages.flat().flatMap((slots) => {
    const lowered = lowerings.at(slots);
    return lowered instanceof HeError ? [] : lowered.map(({ circuit }) => circuitDepth(circuit));
  });
  return Math.min(...depths);
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

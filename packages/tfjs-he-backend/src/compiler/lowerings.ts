import { HeError } from '../errors.js';
import { type TensorNode, topologicalOrder } from '../graph/node.js';
import { attempt } from './attempt.js';
import { checkCircuit } from './check_stages.js';
import { circuitDepths } from './circuit.js';
import { type Lowered, lower } from './lower.js';
import type { MatMulMethod } from './options.js';
import { matMulTiles } from './split_matmul.js';
import { type SplitGraph, splitTensors, unsplit } from './split_tensors.js';

/** Outputs, by index, that are an input, by name, in the next run. */
type State = ReadonlyMap<number, string>;

export interface Lowerings {
  /**
   * Numbers of slots in stages, in the order in which to try them: those for which tensors fit whole; then those for which they take several ciphertexts, from the one next to these
   * on (from the smallest where none fits whole).
   */
  readonly stages: readonly (readonly number[])[];
  /** Circuits worth trying at one number of slots, or why there are none. */
  at(slots: number): readonly Lowered[] | HeError;
}

/**
 * The circuits of a graph, by the number of slots. If its tensors fit whole for one of `slotCounts` (ascending), one circuit for the smallest such number: layouts fit
 * in any larger ciphertext. For every smaller number, tensors over several ciphertexts; matrix products in as few parts as possible, and in parts that fit twice.
 */
export function createLowerings(
  outputs: readonly TensorNode[],
  slotCounts: readonly number[],
  state: State,
  matmul: MatMulMethod,
): Lowerings {
  const firstWhole = wholeLowering(outputs, slotCounts, state, matmul);
  const enough = firstWhole?.slots ?? Number.POSITIVE_INFINITY;
  const parts = slotCounts.filter((slots) => slots < enough).map((slots) => [slots]);
  const stages = firstWhole === null ? parts : [slotCounts.filter((slots) => slots >= enough), ...parts.reverse()];
  const cached = new Map<number, readonly Lowered[] | HeError>();
  const at = (slots: number): readonly Lowered[] | HeError => {
    if (firstWhole !== null && slots >= enough) return firstWhole.lowered;
    const known = cached.get(slots) ?? inParts(outputs, slots, state, matmul);
    cached.set(slots, known);
    return known;
  };
  return { stages, at };
}

/** At the smallest number of slots for which all tensors fit whole; null: at none. */
function wholeLowering(
  outputs: readonly TensorNode[],
  slotCounts: readonly number[],
  state: State,
  matmul: MatMulMethod,
): { readonly slots: number; readonly lowered: readonly Lowered[] } | null {
  for (const slots of slotCounts) {
    const lowered = attempt(() => lowerBoth(unsplit(outputs), slots, state, matmul));
    if (!(lowered instanceof HeError)) return { slots, lowered };
  }
  return null;
}

function inParts(outputs: readonly TensorNode[], slots: number, state: State, matmul: MatMulMethod): readonly Lowered[] | HeError {
  const tried = (headsDivide(outputs, slots) ? [false, true] : [false]).map((doubled) =>
    attempt(() => lowerBoth(splitTensors(outputs, { slots, doubled, state }), slots, state, matmul)),
  );
  const found = tried.flatMap((lowered) => (lowered instanceof HeError ? [] : lowered));
  const [reason] = tried;
  return found.length === 0 && reason instanceof HeError ? reason : found;
}

/** Whether some product has smaller parts when they are to fit twice. */
function headsDivide(outputs: readonly TensorNode[], slots: number): boolean {
  return topologicalOrder(outputs).some(
    (node) =>
      node.kind === 'matmul' &&
      matMulTiles(node.dims, { slots, doubled: true }).result.length !== matMulTiles(node.dims, { slots, doubled: false }).result.length,
  );
}

/**
 * With layouts that are cheapest one by one, and feature-major ones where these make fewer levels: a layout that is cheap to get to may be dear to leave.
 */
function lowerBoth(graph: SplitGraph, slots: number, state: State, matmul: MatMulMethod): Lowered[] {
  const [local, plain] = [false, true].map((featureMajor) => {
    const lowered = lower(graph, slots, { state, featureMajor, matmul });
    checkCircuit(lowered, slots);
    return lowered;
  });
  if (local === undefined || plain === undefined) return [];
  const lowered = depthOf(plain) < depthOf(local) ? [plain, local] : [local];
  // Where bicyclic packing may be cheaper, time decides.
  if (matmul !== 'auto' || !lowered.some(({ circuit }) => circuit.values.some(({ op }) => op.kind === 'bicyclic'))) return lowered;
  const onGrid = attempt(() => lowerBoth(graph, slots, state, 'jkls'));
  return onGrid instanceof HeError ? lowered : [...onGrid, ...lowered];
}

function depthOf({ circuit }: Lowered): number {
  return Math.max(...circuitDepths(circuit).values());
}

import { HeError } from '../errors.js';
import { type TensorNode, topologicalOrder } from '../graph/node.js';
import { attempt } from './attempt.js';
import { checkCircuit, checkGraph } from './check_stages.js';
import { circuitDepths } from './circuit.js';
import type { LayoutFamily } from './layout_family.js';
import { type LowerOptions, lower } from './lower.js';
import type { Lowered } from './lowered.js';
import type { CompileSettings } from './options.js';
import { requirePartsFit } from './part_limit.js';
import { featureMajorPeriod, replicated } from './slot_layout.js';
import { matMulTiles } from './split_matmul.js';
import { type SplitGraph, splitTensors, unsplit } from './split_tensors.js';

/** Outputs, by index, that are an input, by name, in the next run. */
type State = ReadonlyMap<number, string>;

/** Options of the compiler that its circuits depend on. */
type Choices = Pick<CompileSettings, 'matmul' | 'layout'>;

/** What costs more than the cheapest known circuit by this factor, by a rough estimate, is not tried. */
const WORTH_TRYING = 1.5;
/** Below so many rotations, everything is. */
const LITTLE = 64;
/** Layouts that were asked for are refused where they cost more than the cheapest by `factor`, and so many rotations: their diagonals would take gigabytes. */
const MOST_FORCED = { factor: 4, rotations: 2500 };
/** Entries of all maps, beyond which planning them once more takes seconds, and only layouts that mix and feature-major ones are tried. */
const MOST_ENTRIES = 2 ** 22;

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
 * @throws HeError COMPILE_FAILED when a tensor has too many elements for any of them.
 */
export function createLowerings(outputs: readonly TensorNode[], slotCounts: readonly number[], state: State, choices: Choices): Lowerings {
  requirePartsFit(outputs, Math.max(...slotCounts));
  const firstWhole = choices.layout === 'tiled' ? null : wholeLowering(outputs, slotCounts, state, choices);
  const enough = firstWhole?.slots ?? Number.POSITIVE_INFINITY;
  const parts = slotCounts.filter((slots) => slots < enough).map((slots) => [slots]);
  const stages = firstWhole === null ? parts : [slotCounts.filter((slots) => slots >= enough), ...parts.reverse()];
  const cached = new Map<number, readonly Lowered[] | HeError>();
  const at = (slots: number): readonly Lowered[] | HeError => {
    if (firstWhole !== null && slots >= enough) return firstWhole.lowered;
    const known = cached.get(slots) ?? inParts(outputs, slots, state, choices);
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
  choices: Choices,
): { readonly slots: number; readonly lowered: readonly Lowered[] } | null {
  for (const slots of slotCounts) {
    const lowered = attempt(() => circuitsOf(unsplit(outputs), slots, state, choices));
    if (!(lowered instanceof HeError)) return { slots, lowered };
  }
  return null;
}

function inParts(outputs: readonly TensorNode[], available: number, state: State, choices: Choices): readonly Lowered[] | HeError {
  const slots = choices.layout === 'tiled' ? Math.min(available, largestTile(outputs)) : available;
  const tried = (headsDivide(outputs, slots) ? [false, true] : [false]).map((doubled) =>
    attempt(() => circuitsOf(checkedSplit(splitTensors(outputs, { slots, doubled, state })), slots, state, choices)),
  );
  const found = tried.flatMap((lowered) => (lowered instanceof HeError ? [] : lowered));
  const [reason] = tried;
  return found.length === 0 && reason instanceof HeError ? reason : found;
}

function checkedSplit(split: SplitGraph): SplitGraph {
  checkGraph(
    split.outputs.flatMap(({ parts }) => parts.map(({ node }) => node)),
    'split into ciphertexts',
  );
  return split;
}

/** Slots in which the largest tensor does not fit whole. */
function largestTile(outputs: readonly TensorNode[]): number {
  return Math.max(1, ...topologicalOrder(outputs).map(({ shape }) => featureMajorPeriod(shape) / 2));
}

/** Whether some product has smaller parts when they are to fit twice. */
function headsDivide(outputs: readonly TensorNode[], slots: number): boolean {
  return topologicalOrder(outputs).some(
    (node) =>
      node.kind === 'matmul' &&
      matMulTiles(node.dims, { slots, doubled: true }).result.length !== matMulTiles(node.dims, { slots, doubled: false }).result.length,
  );
}

/** Circuits in the layouts that were asked for, or in all that may pay: time decides. */
function circuitsOf(graph: SplitGraph, slots: number, state: State, { layout, matmul }: Choices): Lowered[] {
  const lowered = (family: LayoutFamily, options: LowerOptions = {}): Lowered => {
    const circuit = lower(graph, slots, { state, matmul, family, ...options });
    checkCircuit(circuit, slots);
    return circuit;
  };
  // Bicyclic packing that looks cheaper may be the reason why layouts look too dear.
  const within = (family: LayoutFamily, maxCost: number): Lowered | HeError => {
    const circuit = attempt(() => lowered(family, { maxCost }));
    return circuit instanceof HeError && matmul === 'auto' ? attempt(() => lowered(family, { maxCost, matmul: 'jkls' })) : circuit;
  };
  const local = lowered('mixed');
  const found =
    layout === 'auto' || layout === 'tiled'
      ? families(local, { slots, small: entriesOf(graph) <= MOST_ENTRIES }, within)
      : [lowered(layout, { maxCost: Math.max(MOST_FORCED.factor * local.cost, MOST_FORCED.rotations) })];
  // Where bicyclic packing may be cheaper, time decides as well.
  if (matmul !== 'auto' || !found.some(({ circuit }) => circuit.values.some(({ op }) => op.kind === 'bicyclic'))) return found;
  const onGrid = attempt(() => circuitsOf(graph, slots, state, { layout, matmul: 'jkls' }));
  return onGrid instanceof HeError ? found : [...onGrid, ...found];
}

/**
 * `local`, whose layouts are the cheapest one by one, and circuits of one kind of layout that may be faster: a layout that is cheap to get to may be dear to leave, and one that is dear to get to, or that the
 * client brings about, may save more later on.
 */
function families(
  local: Lowered,
  { slots, small }: { readonly slots: number; readonly small: boolean },
  lowered: (family: LayoutFamily, maxCost: number) => Lowered | HeError,
): Lowered[] {
  const found = [local];
  const names: LayoutFamily[] = [];
  if (small) {
    names.push('token-major');
    if ((local.layouts.interleaved ?? 0) > 0) names.push('interleaved');
    if (local.inputs.some(({ shape, parts }) => parts.length === 1 && replicated(shape, slots).copies.length > 1)) names.push('replicated');
  }
  const consider = (family: LayoutFamily, maxCost: number): void => {
    const other = lowered(family, maxCost);
    if (other instanceof HeError || found.some((known) => isAlike(known, other))) return;
    if (depthOf(other) < depthOf(local)) found.unshift(other);
    else if (other.cost <= limit()) found.push(other);
  };
  const limit = (): number => WORTH_TRYING * Math.max(LITTLE, Math.min(...found.map(({ cost }) => cost)));
  consider('feature-major', Number.POSITIVE_INFINITY);
  for (const family of names) consider(family, limit());
  return found;
}

function entriesOf({ outputs }: SplitGraph): number {
  const nodes = topologicalOrder(outputs.flatMap(({ parts }) => parts.map(({ node }) => node)));
  return nodes.reduce(
    (sum, node) => sum + (node.kind === 'affine' ? node.terms.reduce((own, { map }) => own + map.column.length, 0) : 0),
    0,
  );
}

/** Alike in all that decides which of them is tried. */
function isAlike(a: Lowered, b: Lowered): boolean {
  return a.cost === b.cost && depthOf(a) === depthOf(b) && JSON.stringify(a.layouts) === JSON.stringify(b.layouts);
}

function depthOf({ circuit }: Lowered): number {
  return Math.max(...circuitDepths(circuit).values());
}

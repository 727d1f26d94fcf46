import { BUG_HINT, HeError } from '../errors.js';
import type { LinearMap } from '../graph/linear_map.js';
import { nearest, placeEntries } from './place_entries.js';
import { type SlotLayout, sameLayout } from './slot_layout.js';

/**
 * Halevi-Shoup form of one term of an affine map: y = sum_k diagonal_k * rotate(x, k). Steps are taken modulo the period of x, diagonals
 * repeat with `period`.
 */
export interface DiagonalTerm {
  /** step -> diagonal of length `period`. */
  readonly diagonals: ReadonlyMap<number, Float64Array>;
  /** Period of the source. */
  readonly sourcePeriod: number;
  /** Period of the diagonals: the larger of the source's and the result's. */
  readonly period: number;
}

/**
 * Partial sums of one output in `copies` slots, `stride` apart, which rotate-and-sum joins: it trades diagonals for log2(copies) rotations
 * (all of them, for a sum over a dimension).
 */
export interface Fold {
  readonly stride: number;
  readonly copies: number;
  /** The copies are the replicas of the output: every one of them ends up correct. Otherwise only the first, and a mask must follow. */
  readonly cyclic: boolean;
}

export interface LayoutTerm {
  readonly map: LinearMap;
  readonly layout: SlotLayout;
}

function commonPeriod(terms: readonly LayoutTerm[], out: SlotLayout): number {
  return Math.max(out.period, ...terms.map((term) => term.layout.period));
}

/** Copies of a fold lie side by side in the common period; without a fold a diagonal is no longer than it has to be. */
function termPeriod(term: LayoutTerm, terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold | null): number {
  return fold === null ? Math.max(term.layout.period, out.period) : commonPeriod(terms, out);
}

/** The steps of many folds. */
export interface FoldSteps {
  /** By term; null: the fold's copies collide. */
  of(fold: Fold | null): number[][] | null;
  /** By term, how many there are at least: found without going through all entries. */
  fewest(fold: Fold): number[];
}

/**
 * Without copies that may collide, the steps follow from those of the outputs' first replicas, and the entries are gone through only once. With them, those steps are some of all.
 */
export function stepsByFold(terms: readonly LayoutTerm[], out: SlotLayout): FoldSteps {
  let known: (readonly number[])[] | null = null;
  const first = (): readonly (readonly number[])[] => {
    known ??= terms.map((term) => firstSteps(term, out));
    return known;
  };
  return {
    of(fold) {
      if (fold !== null && !fold.cyclic) return collidingSteps(terms, out, fold);
      const own = first();
      return terms.map((term, i) => replicatedSteps(term, out, termPeriod(term, terms, out, fold), fold, own[i] ?? []));
    },
    fewest: (fold) => {
      const own = first();
      return terms.map(({ layout }, i) => foldedSteps(layout, fold, own[i] ?? []));
    },
  };
}

function foldedSteps(layout: SlotLayout, { copies, stride }: Fold, first: readonly number[]): number {
  const kept = ~((copies - 1) * stride);
  const marks = new Uint8Array(layout.period);
  let count = 0;
  for (const step of first) {
    const folded = nearest(layout, step) & kept;
    if (marks[folded] === 1) continue;
    marks[folded] = 1;
    count++;
  }
  return count;
}

/** Of maps and layouts seen before: alternatives are weighed again and again. */
const knownSteps = new WeakMap<LinearMap, { readonly from: SlotLayout; readonly to: SlotLayout; readonly steps: readonly number[] }[]>();

/** Steps from an element's first copy to an output's first replica. */
function firstSteps({ map, layout }: LayoutTerm, out: SlotLayout): readonly number[] {
  const known = knownSteps.get(map) ?? [];
  const before = known.find(({ from, to }) => sameLayout(from, layout) && sameLayout(to, out));
  if (before !== undefined) return before.steps;
  const marks = new Uint8Array(layout.period);
  const oneCopy = { ...layout, copies: [0] };
  placeEntries({ map, layout: oneCopy }, out, out.period, null, marks, { diagonals: null, owner: null });
  const steps = marked(marks);
  known.push({ from: layout, to: out, steps });
  knownSteps.set(map, known);
  return steps;
}

function replicatedSteps({ layout }: LayoutTerm, out: SlotLayout, period: number, fold: Fold | null, first: readonly number[]): number[] {
  const sourceMask = layout.period - 1;
  const foldBits = fold === null ? 0 : (fold.copies - 1) * fold.stride;
  // The source repeats, so that replicas farther apart than its period have the same steps.
  const replicas = fold === null ? Math.min(period, Math.max(layout.period, out.period)) / out.period : 1;
  const marks = new Uint8Array(layout.period);
  for (const step of first) {
    for (let replica = 0; replica < replicas; replica++) {
      const direct = nearest(layout, (step - replica * out.period) & sourceMask);
      marks[(direct - (direct & foldBits)) & sourceMask] = 1;
    }
  }
  return marked(marks);
}

function collidingSteps(terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold): number[][] | null {
  const period = commonPeriod(terms, out);
  const owner = new Int32Array(period).fill(-1);
  const steps: number[][] = [];
  for (const term of terms) {
    const marks = new Uint8Array(term.layout.period);
    if (!placeEntries(term, out, period, fold, marks, { diagonals: null, owner })) return null;
    steps.push(marked(marks));
  }
  return firstCopiesSafe(owner, out, period, fold) ? steps : null;
}

function marked(marks: Uint8Array): number[] {
  const steps: number[] = [];
  for (let step = 0; step < marks.length; step++) if (marks[step] === 1) steps.push(step);
  return steps;
}

/** Of maps and layouts seen before: alternatives differ in few places. */
const knownDiagonals = new WeakMap<LinearMap, { readonly from: SlotLayout; readonly to: SlotLayout; readonly term: DiagonalTerm }[]>();

/** Diagonals of a term without a fold. */
function directTerm({ map, layout }: LayoutTerm, out: SlotLayout): DiagonalTerm {
  const known = knownDiagonals.get(map) ?? [];
  const before = known.find(({ from, to }) => sameLayout(from, layout) && sameLayout(to, out));
  if (before !== undefined) return before.term;
  const term = placedTerm({ map, layout }, out, Math.max(layout.period, out.period), null, null);
  if (term === null) throw new HeError('COMPILE_FAILED', 'diagonals collide', { op: 'lower', hint: BUG_HINT });
  known.push({ from: layout, to: out, term });
  knownDiagonals.set(map, known);
  return term;
}

/** Null: the fold's copies collide. */
function placedTerm(term: LayoutTerm, out: SlotLayout, period: number, fold: Fold | null, owner: Int32Array | null): DiagonalTerm | null {
  const sourcePeriod = term.layout.period;
  const diagonals: (Float64Array | undefined)[] = new Array(sourcePeriod).fill(undefined);
  if (!placeEntries(term, out, period, fold, new Uint8Array(sourcePeriod), { diagonals, owner })) return null;
  const byStep = new Map<number, Float64Array>();
  for (const [step, diagonal] of diagonals.entries()) if (diagonal !== undefined) byStep.set(step, diagonal);
  return { diagonals: byStep, sourcePeriod, period };
}

/** Diagonals of all terms into the layout `out`, with partial sums placed as `fold` says. Null: the fold's copies collide. */
export function diagonalTerms(terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold | null): DiagonalTerm[] | null {
  if (fold === null) return terms.map((term) => directTerm(term, out));
  const owner = fold.cyclic ? null : new Int32Array(commonPeriod(terms, out)).fill(-1);
  const made: DiagonalTerm[] = [];
  for (const term of terms) {
    const placed = placedTerm(term, out, termPeriod(term, terms, out, fold), fold, owner);
    if (placed === null) return null;
    made.push(placed);
  }
  return owner === null || firstCopiesSafe(owner, out, commonPeriod(terms, out), fold) ? made : null;
}

/** Every slot the fold adds up for an output, its home included, must be that output's or empty. */
function firstCopiesSafe(owner: Int32Array, out: SlotLayout, period: number, fold: Fold | null): boolean {
  if (fold === null) return true;
  for (const slot of out.slotOf) {
    for (let home = slot; home < period; home += out.period) {
      for (let copy = 0; copy < fold.copies; copy++) {
        const found = owner[(home + copy * fold.stride) % period] ?? -1;
        if (found >= 0 && found !== home) return false;
      }
    }
  }
  return true;
}

/** Folds worth trying between these layouts. */
export function candidateFolds(terms: readonly LayoutTerm[], out: SlotLayout): Fold[] {
  const period = commonPeriod(terms, out);
  const folds: Fold[] = [];
  if (out.period < period) folds.push({ stride: out.period, copies: period / out.period, cyclic: true });
  if (out.slotOf.length * 2 <= out.period && out.copies.length === 1) {
    for (let stride = 1; stride < period; stride *= 2) {
      for (let copies = 2; copies * stride <= period && copies * out.slotOf.length <= period; copies *= 2) {
        folds.push({ stride, copies, cyclic: false });
      }
    }
  }
  return folds;
}

export function modulo(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}

import type { LinearMap } from '../graph/linear_map.js';
import type { SlotLayout } from './slot_layout.js';

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

/**
 * Where every entry of a term goes: `visit(step, place, value)` means diagonal `step` gets `value` at slot `place`. False: the partial sums
 * that `fold` asks for would collide.
 */
function placeEntries(
  { map, layout }: LayoutTerm,
  out: SlotLayout,
  period: number,
  fold: Fold | null,
  owner: Int32Array | null,
  visit: (step: number, place: number, value: number) => void,
): boolean {
  const replicas = fold?.cyclic === true ? 1 : period / out.period;
  const { rows, rowStart, column, value } = map;
  // Periods are powers of two, so that `& (period - 1)` is the modulus, of negative numbers too.
  const sourceMask = layout.period - 1;
  for (let row = 0; row < rows; row++) {
    const end = rowStart[row + 1] ?? 0;
    for (let replica = 0; replica < replicas * out.copies.length; replica++) {
      const copy = out.copies[replica % out.copies.length] ?? 0;
      const home = (out.slotOf[row] ?? 0) + copy + Math.floor(replica / out.copies.length) * out.period;
      for (let i = rowStart[row] ?? 0; i < end; i++) {
        let step = nearestStep(layout, column[i] ?? 0, home);
        let place = home;
        if (fold !== null) {
          const shift = step & ((fold.copies - 1) * fold.stride);
          place = (home + shift) & (period - 1);
          step = (step - shift) & sourceMask;
          if (owner !== null) {
            const before = owner[place] ?? -1;
            if (before >= 0 && before !== home) return false;
            owner[place] = home;
          }
        }
        visit(step, place, value[i] ?? 0);
      }
    }
  }
  return true;
}

/** Rotation that brings an element to `home`: from its nearest copy. */
function nearestStep({ slotOf, copies, period }: SlotLayout, element: number, home: number): number {
  const mask = period - 1;
  const first = ((slotOf[element] ?? 0) - home) & mask;
  if (copies.length === 1) return first;
  const distance = (step: number): number => Math.min(step, period - step);
  let best = first;
  for (const copy of copies) {
    const step = ((slotOf[element] ?? 0) + copy - home) & mask;
    if (distance(step) < distance(best)) best = step;
  }
  return best;
}

function commonPeriod(terms: readonly LayoutTerm[], out: SlotLayout): number {
  return Math.max(out.period, ...terms.map((term) => term.layout.period));
}

/** Copies of a fold lie side by side in the common period; without a fold a diagonal is no longer than it has to be. */
function termPeriod(term: LayoutTerm, terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold | null): number {
  return fold === null ? Math.max(term.layout.period, out.period) : commonPeriod(terms, out);
}

function runFolded(
  terms: readonly LayoutTerm[],
  out: SlotLayout,
  fold: Fold | null,
  visit: (term: number, step: number, place: number, value: number) => void,
): boolean {
  const period = commonPeriod(terms, out);
  const owner = fold === null || fold.cyclic ? null : new Int32Array(period).fill(-1);
  const placed = terms.every((term, index) =>
    placeEntries(term, out, termPeriod(term, terms, out, fold), fold, owner, (step, place, value) => visit(index, step, place, value)),
  );
  return placed && (owner === null || firstCopiesSafe(owner, out, period, fold));
}

/** Steps of the diagonals each term would have; null: the fold's copies collide. */
export function diagonalSteps(terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold | null): number[][] | null {
  const seen = terms.map((term) => new Uint8Array(term.layout.period));
  const possible = runFolded(terms, out, fold, (term, step) => {
    const marks = seen[term];
    if (marks !== undefined) marks[step] = 1;
  });
  return possible ? seen.map((marks) => [...marks.keys()].filter((step) => marks[step] === 1)) : null;
}

/** Diagonals of all terms into the layout `out`, with partial sums placed as `fold` says. Null: the fold's copies collide. */
export function diagonalTerms(terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold | null): DiagonalTerm[] | null {
  const period = (term: LayoutTerm): number => termPeriod(term, terms, out, fold);
  const diagonals = terms.map(() => new Map<number, Float64Array>());
  const possible = runFolded(terms, out, fold, (index, step, place, value) => {
    const own = diagonals[index];
    const term = terms[index];
    if (own === undefined || term === undefined) return;
    let diagonal = own.get(step);
    if (diagonal === undefined) {
      diagonal = new Float64Array(period(term));
      own.set(step, diagonal);
    }
    diagonal[place] = (diagonal[place] ?? 0) + value;
  });
  if (!possible) return null;
  return terms.map((term, i) => ({ diagonals: diagonals[i] ?? new Map(), sourcePeriod: term.layout.period, period: period(term) }));
}

/** Every slot the fold adds to an output's home must be that output's or empty. */
function firstCopiesSafe(owner: Int32Array, out: SlotLayout, period: number, fold: Fold | null): boolean {
  if (fold === null) return true;
  for (const slot of out.slotOf) {
    for (let home = slot; home < period; home += out.period) {
      for (let copy = 1; copy < fold.copies; copy++) {
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

import { forEachEntry, type LinearMap } from '../graph/linear_map.js';
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

/** Diagonals of all terms into the layout `out`, with partial sums placed as `fold` says. Null: the fold's copies collide. */
export function diagonalTerms(terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold | null): DiagonalTerm[] | null {
  const owner = fold === null || fold.cyclic ? null : new Map<number, number>();
  const result: DiagonalTerm[] = [];
  for (const { map, layout } of terms) {
    const period = Math.max(layout.period, out.period);
    const replicas = fold?.cyclic === true ? 1 : period / out.period;
    const diagonals = new Map<number, Float64Array>();
    let collision = false;
    forEachEntry(map, (row, column, value) => {
      const from = layout.slotOf[column] ?? 0;
      for (let replica = 0; replica < replicas && !collision; replica++) {
        const home = (out.slotOf[row] ?? 0) + replica * out.period;
        let step = modulo(from - home, layout.period);
        let place = home;
        if (fold !== null) {
          const shift = (Math.floor(step / fold.stride) % fold.copies) * fold.stride;
          place = (home + shift) % period;
          step = modulo(step - shift, layout.period);
          if (owner !== null) {
            const before = owner.get(place);
            if (before !== undefined && before !== home) collision = true;
            owner.set(place, home);
          }
        }
        let diagonal = diagonals.get(step);
        if (diagonal === undefined) {
          diagonal = new Float64Array(period);
          diagonals.set(step, diagonal);
        }
        diagonal[place] = (diagonal[place] ?? 0) + value;
      }
    });
    if (collision || (owner !== null && !firstCopiesSafe(owner, out, period, fold))) return null;
    result.push({ diagonals, sourcePeriod: layout.period, period });
  }
  return result;
}

/** Every slot the fold adds to an output's home must be that output's or empty. */
function firstCopiesSafe(owner: ReadonlyMap<number, number>, out: SlotLayout, period: number, fold: Fold | null): boolean {
  if (fold === null) return true;
  for (const slot of out.slotOf) {
    for (let home = slot; home < period; home += out.period) {
      for (let copy = 1; copy < fold.copies; copy++) {
        const found = owner.get((home + copy * fold.stride) % period);
        if (found !== undefined && found !== home) return false;
      }
    }
  }
  return true;
}

/** Folds worth trying between these layouts. */
export function candidateFolds(terms: readonly LayoutTerm[], out: SlotLayout): Fold[] {
  const period = Math.max(out.period, ...terms.map((term) => term.layout.period));
  const folds: Fold[] = [];
  const samePeriod = terms.every((term) => Math.max(term.layout.period, out.period) === period);
  if (samePeriod && out.period < period) folds.push({ stride: out.period, copies: period / out.period, cyclic: true });
  if (out.slotOf.length * 2 <= out.period) {
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

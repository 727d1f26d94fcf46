import { planBabyStepGiantStep } from './baby_step_giant_step.js';
import { candidateFolds, type DiagonalTerm, diagonalTerms, type Fold, type LayoutTerm } from './diagonals.js';
import type { SlotLayout } from './slot_layout.js';

/** How an affine map is carried out between given layouts. */
export interface AffinePlan {
  readonly fold: Fold | null;
  /** Multiplication-free: `terms` of rotations with small integer coefficients. */
  readonly free: readonly FreeTerm[] | null;
  readonly terms: readonly DiagonalTerm[];
  /** Relative cost: rotations, with a plaintext product and a level counted as fractions of one. */
  readonly cost: number;
}

export interface FreeTerm {
  readonly term: number;
  readonly step: number;
  readonly coefficient: number;
}

const PRODUCT_COST = 0.1;
const LEVEL_COST = 3;
const MAX_FREE_COEFFICIENT = 4;
const MAX_FREE_ROTATIONS = 4;

/** Cheapest plan over all folds. */
export function planAffine(terms: readonly LayoutTerm[], out: SlotLayout): AffinePlan {
  const plain = planWithFold(terms, out, null);
  if (plain === null) throw new Error('unreachable: a plan without folds always exists');
  let best = plain;
  // A map that is cheap already gains nothing from the search.
  if (plain.cost <= 2) return best;
  for (const fold of candidateFolds(terms, out)) {
    const plan = planWithFold(terms, out, fold);
    if (plan !== null && plan.cost < best.cost) best = plan;
  }
  return best;
}

function planWithFold(terms: readonly LayoutTerm[], out: SlotLayout, fold: Fold | null): AffinePlan | null {
  const diagonal = diagonalTerms(terms, out, fold);
  if (diagonal === null) return null;
  const foldCost = fold === null ? 0 : Math.log2(fold.copies) + (fold.cyclic ? 0 : LEVEL_COST);
  const free = freeTerms(diagonal, terms, fold);
  if (free !== null) {
    return { fold, free, terms: diagonal, cost: foldCost + free.filter((term) => term.step !== 0).length };
  }
  let cost = foldCost + LEVEL_COST;
  for (const term of diagonal) {
    const steps = [...term.diagonals.keys()];
    cost += planBabyStepGiantStep(steps, term.sourcePeriod).rotations + PRODUCT_COST * steps.length;
  }
  return { fold, free: null, terms: diagonal, cost };
}

/**
 * All diagonals constant and small integers: no multiplication is needed, hence no level. Slots that hold no element of the result may
 * take any value the source has there only if that is zero.
 */
function freeTerms(diagonal: readonly DiagonalTerm[], terms: readonly LayoutTerm[], fold: Fold | null): FreeTerm[] | null {
  if (fold !== null && !fold.cyclic) return null;
  const free: FreeTerm[] = [];
  for (const [index, term] of diagonal.entries()) {
    const source = terms[index]?.layout;
    if (source === undefined || term.diagonals.size > MAX_FREE_ROTATIONS) return null;
    const sourceUsed = usedSlots(source, term.period);
    for (const [step, values] of term.diagonals) {
      const coefficient = values.find((value) => value !== 0) ?? 0;
      if (!Number.isInteger(coefficient) || Math.abs(coefficient) > MAX_FREE_COEFFICIENT) return null;
      for (let slot = 0; slot < term.period; slot++) {
        if (values[slot] !== coefficient && (values[slot] !== 0 || sourceUsed[(slot + step) % term.period] === 1)) return null;
      }
      free.push({ term: index, step, coefficient });
    }
  }
  return free.length > 0 ? free : null;
}

function usedSlots(layout: SlotLayout, period: number): Uint8Array {
  const used = new Uint8Array(period);
  for (const slot of layout.slotOf) for (let s = slot; s < period; s += layout.period) used[s] = 1;
  return used;
}

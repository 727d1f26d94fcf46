import { MAX_FREE_FACTOR } from '../graph/depth.js';
import { planBabyStepGiantStep } from './baby_step_giant_step.js';
import { candidateFolds, type DiagonalTerm, diagonalTerms, type Fold, type LayoutTerm, stepsByFold } from './diagonals.js';
import type { SlotLayout } from './slot_layout.js';

/** How an affine map is carried out between given layouts. */
export interface AffinePlan {
  readonly fold: Fold | null;
  /** Multiplication-free: `terms` of rotations with small integer coefficients. */
  readonly free: readonly FreeTerm[] | null;
  readonly terms: readonly DiagonalTerm[];
  /** In rotations, with a plaintext product and a level weighed against one. */
  readonly cost: number;
}

export interface FreeTerm {
  readonly term: number;
  readonly step: number;
  readonly coefficient: number;
}

/**
 * A product with a plaintext, in rotations. This weight and that of a level are fixed and not of the machine: maps are planned once for all parameters, on which what they weigh depends more. By the
 * default costs a product takes 0.02 to 0.12 of a rotation, and up to 0.5 of one that shares its decomposition and division. Circuits as a whole compete by predicted time.
 */
const PRODUCT_COST = 0.1;
/** A level, in rotations: its share of the next refresh takes 13 where two levels lie between refreshes at N = 8192, 1 where six do at N = 16384, nearly nothing where none is needed. */
export const LEVEL_COST = 3;
/** Rotations besides a level that no search for a better plan is worth. */
const LITTLE = 2;
/** Rotations of a term without products: beyond, products cost less. */
const MAX_FREE_ROTATIONS = 4;

/** Cheapest plan over all folds, by the number of diagonals. */
export function planAffine(terms: readonly LayoutTerm[], out: SlotLayout): AffinePlan {
  const steps = stepsByFold(terms, out);
  const free = planFree(terms, out, null, steps.of(null));
  if (free !== null && free.cost <= LITTLE) return free;
  let best: { fold: Fold | null; cost: number } = { fold: null, cost: planCost(terms, null, steps.of(null)) };
  for (const fold of best.cost <= LEVEL_COST + LITTLE ? [] : candidateFolds(terms, out)) {
    if (leastCost(fold, steps.fewest(fold)) >= best.cost) continue;
    const cost = planCost(terms, fold, steps.of(fold));
    if (cost < best.cost) best = { fold, cost };
  }
  const folded = best.fold === null ? null : planFree(terms, out, best.fold, steps.of(best.fold));
  for (const plan of [free, folded]) if (plan !== null && plan.cost <= best.cost) return plan;
  return withDiagonals(best.fold, best.cost, () => diagonalTerms(terms, out, best.fold) ?? []);
}

/** Most plans are only compared by cost: their diagonals are built when somebody asks for them. */
function withDiagonals(fold: Fold | null, cost: number, build: () => DiagonalTerm[]): AffinePlan {
  let built: readonly DiagonalTerm[] | null = null;
  return {
    fold,
    free: null,
    cost,
    get terms() {
      built ??= build();
      return built;
    },
  };
}

/** Cost of a plan before its diagonals exist: Infinity when the fold is impossible. */
function planCost(terms: readonly LayoutTerm[], fold: Fold | null, steps: readonly (readonly number[])[] | null): number {
  if (steps === null) return Number.POSITIVE_INFINITY;
  let cost = LEVEL_COST + foldCost(fold);
  for (const [index, own] of steps.entries()) {
    cost += planBabyStepGiantStep(own, terms[index]?.layout.period ?? 1).rotations + PRODUCT_COST * own.length;
  }
  return cost;
}

/** Of a plan with at least so many diagonals by term: babies times giants are no fewer. */
function leastCost(fold: Fold, diagonals: readonly number[]): number {
  return diagonals.reduce((cost, count) => cost + PRODUCT_COST * count + 2 * Math.sqrt(count) - 2, LEVEL_COST + foldCost(fold));
}

function foldCost(fold: Fold | null): number {
  return fold === null ? 0 : Math.log2(fold.copies) + (fold.cyclic ? 0 : LEVEL_COST);
}

function planFree(
  terms: readonly LayoutTerm[],
  out: SlotLayout,
  fold: Fold | null,
  steps: readonly (readonly number[])[] | null,
): AffinePlan | null {
  if (steps?.every((own) => own.length <= MAX_FREE_ROTATIONS) !== true) return null;
  const diagonal = diagonalTerms(terms, out, fold);
  const free = diagonal === null ? null : freeTerms(diagonal, terms, fold);
  if (diagonal === null || free === null) return null;
  return { fold, free, terms: diagonal, cost: foldCost(fold) + free.filter((term) => term.step !== 0).length };
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
      if (!Number.isInteger(coefficient) || Math.abs(coefficient) > MAX_FREE_FACTOR) return null;
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
  for (const slot of layout.slotOf) {
    for (const copy of layout.copies) for (let s = slot + copy; s < period; s += layout.period) used[s] = 1;
  }
  return used;
}

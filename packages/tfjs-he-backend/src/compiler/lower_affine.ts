import { BUG_HINT, HeError } from '../errors.js';
import type { LinearMap } from '../graph/linear_map.js';
import { type CircuitBuilder, type CircuitValue, depthCounter } from './circuit.js';
import { type AffinePlan, type FreeTerm, planAffine } from './plan_affine.js';
import type { SlotLayout } from './slot_layout.js';

/** A circuit value and where the elements of its tensor lie in it. */
export interface Placed {
  readonly value: CircuitValue;
  readonly layout: SlotLayout;
}

export interface PlacedTerm {
  readonly map: LinearMap;
  readonly placed: Placed;
}

/**
 * Operations for sum_k map_k * source_k + bias into `layout`: additions and rotations where that is all it takes, else diagonals, a fold, a
 * mask.
 */
export function emitAffine(
  builder: CircuitBuilder,
  label: string,
  terms: readonly PlacedTerm[],
  bias: Float64Array | null,
  layout: SlotLayout,
  planned?: AffinePlan,
): CircuitValue {
  const plan = planned ?? planTerms(terms, layout);
  const slotBias = bias === null || bias.every((x) => x === 0) ? null : spread(bias, layout);
  if (plan.free !== null) {
    const sum = emitFree(builder, label, terms, plan.free, plan.fold === null ? slotBias : null);
    return plan.fold === null ? sum : addBias(builder, label, emitFold(builder, label, sum, plan), slotBias);
  }
  const split = plan.fold === null ? splitFree(terms, layout) : null;
  if (split !== null) {
    const scaled = emitAffine(builder, label, split.scaled, null, layout);
    return emitFree(builder, label, [...split.free, { ...split.anyTerm, placed: { value: scaled, layout } }], split.steps, slotBias);
  }
  let value = builder.add(label, { kind: 'linear', terms: plan.terms.map((term, i) => ({ source: sourceOf(terms, i), plan: term })) });
  if (plan.fold !== null) {
    value = emitFold(builder, label, value, plan);
    if (!plan.fold.cyclic) value = maskTo(builder, label, value, layout, plan);
  }
  return addBias(builder, label, value, slotBias);
}

/** The cheapest plan for terms where they lie. */
export function planTerms(terms: readonly PlacedTerm[], layout: SlotLayout): AffinePlan {
  return planAffine(
    terms.map((term) => ({ map: term.map, layout: term.placed.layout })),
    layout,
  );
}

/**
 * Terms that need no multiplication, when they are the deepest: added after the others have been multiplied, they lose no level.
 */
function splitFree(
  terms: readonly PlacedTerm[],
  layout: SlotLayout,
): { free: PlacedTerm[]; scaled: PlacedTerm[]; steps: FreeTerm[]; anyTerm: PlacedTerm } | null {
  const plans = terms.map((term) => ({ term, plan: planTerms([term], layout) }));
  const free = plans.filter(({ plan }) => plan.free !== null && plan.fold === null);
  const scaled = plans.filter(({ plan }) => plan.free === null || plan.fold !== null).map(({ term }) => term);
  const [anyTerm] = scaled;
  if (free.length === 0 || anyTerm === undefined) return null;
  const depthOf = depthCounter();
  const deepest = (list: readonly PlacedTerm[]): number => Math.max(...list.map((term) => depthOf(term.placed.value)));
  const freeTerms = free.map(({ term }) => term);
  if (deepest(freeTerms) <= deepest(scaled)) return null;
  const steps = free.flatMap(({ plan }, index) => (plan.free ?? []).map((step) => ({ ...step, term: index })));
  return { free: freeTerms, scaled, steps: [...steps, { term: free.length, step: 0, coefficient: 1 }], anyTerm };
}

function emitFree(
  builder: CircuitBuilder,
  label: string,
  terms: readonly PlacedTerm[],
  free: readonly FreeTerm[],
  bias: Float64Array | null,
): CircuitValue {
  const [only] = free;
  const alias = free.length === 1 && only !== undefined && only.step === 0 && only.coefficient === 1;
  if (alias && bias === null) return sourceOf(terms, only.term);
  return builder.add(label, {
    kind: 'sum',
    terms: free.map(({ term, step, coefficient }) => ({ source: sourceOf(terms, term), step, coefficient })),
    bias,
  });
}

function emitFold(builder: CircuitBuilder, label: string, source: CircuitValue, { fold }: AffinePlan): CircuitValue {
  if (fold === null) return source;
  const strides = Array.from({ length: Math.log2(fold.copies) }, (_, i) => fold.stride * 2 ** i);
  return builder.add(label, { kind: 'fold', source, strides });
}

/** Rotate-and-sum leaves partial sums in the other slots: they are about the weights and must not reach anybody. */
function maskTo(builder: CircuitBuilder, label: string, source: CircuitValue, layout: SlotLayout, plan: AffinePlan): CircuitValue {
  return emitMask(builder, label, source, layout, Math.max(layout.period, ...plan.terms.map((term) => term.period)));
}

/** Zeros where no element lies, first copies only; the source repeats with `period`. */
export function emitMask(builder: CircuitBuilder, label: string, source: CircuitValue, layout: SlotLayout, period: number): CircuitValue {
  const keep = new Float64Array(period);
  for (const slot of layout.slotOf) for (let s = slot; s < period; s += layout.period) keep[s] = 1;
  return builder.add(label, {
    kind: 'linear',
    terms: [{ source, plan: { diagonals: new Map([[0, keep]]), sourcePeriod: period, period } }],
  });
}

function addBias(builder: CircuitBuilder, label: string, source: CircuitValue, bias: Float64Array | null): CircuitValue {
  if (bias === null) return source;
  return builder.add(label, { kind: 'sum', terms: [{ source, step: 0, coefficient: 1 }], bias });
}

/** Element values at all their slots, one period long. */
function spread(values: Float64Array, layout: SlotLayout): Float64Array {
  const out = new Float64Array(layout.period);
  layout.slotOf.forEach((slot, element) => {
    for (const copy of layout.copies) out[slot + copy] = values[element] ?? 0;
  });
  return out;
}

function sourceOf(terms: readonly PlacedTerm[], index: number): CircuitValue {
  const source = terms[index]?.placed.value;
  if (source === undefined) {
    throw new HeError('COMPILE_FAILED', 'affine map without a source', { op: 'lower', hint: BUG_HINT });
  }
  return source;
}

import { type Circuit, type CircuitValue, operandsOf } from './circuit.js';
import { type LevelOptions, operandCostVariants, type Placement } from './levels.js';

/** What a placement of refreshes costs; its parts add up. */
export interface PlacementCosts {
  /** Milliseconds to compute a value (its id in the circuit) at a level. */
  readonly valueMs: (id: number, level: number) => number;
  /** Of every refreshed ciphertext. */
  readonly refreshMs: number;
  /** Of every round of refreshes. */
  readonly roundMs: number;
}

/** States that a cut keeps: more than circuits of transformers have after pruning. */
const MOST_STATES = 800;

/**
 * What the users that have been seen ask of a value: the level for those that take it as it is (-1: none does), whether others take it refreshed, and the rounds of
 * refreshes on the way from it to the outputs.
 */
interface Demand {
  readonly level: number;
  readonly fresh: boolean;
  readonly rounds: number;
}

/** A node of the level digraph: what a cut asks of the values that cross it, and the cheapest way to get there. */
interface State {
  readonly demands: ReadonlyMap<number, Demand>;
  readonly ms: number;
  readonly rounds: number;
  readonly ahead: Ahead;
  readonly before: State | null;
  readonly choice: Choice | null;
}

/** What must still come between a cut and the inputs, since values of the cut lie deeper than the chain is long. */
interface Ahead {
  /** Rounds of refreshes on the longest way from the inputs to the outputs. */
  readonly rounds: number;
  /** Refreshes one after another. */
  readonly refreshes: number;
  /** Refreshes side by side, of values of the cut. */
  readonly due: number;
}

/** How a value takes its operands. */
interface Choice {
  readonly id: number;
  /** Ids of operands taken refreshed. */
  readonly fresh: readonly number[];
  readonly maskOnA: boolean;
}

/**
 * Where to refresh: a shortest path over cuts of the circuit, from the outputs to the inputs. A node is what a cut demands of the values that cross it (levels, refreshes, rounds); an
 * edge computes one value at the lowest level that serves, and takes each operand as it is or refreshed. On chains this is the shortest path in Orion's level
 * digraph (Ebel et al., 2025); where branches run side by side, a cut is crossed by one value of each. Ways that cannot beat `limitMs` are left.
 * @returns the cheapest placement (null: none is below the limit), and whether no cut was too wide to keep all of its nodes
 */
export function shortestPlacement(
  circuit: Circuit,
  { maxLevel, refreshLevel }: Pick<LevelOptions, 'maxLevel' | 'refreshLevel'>,
  costs: PlacementCosts,
  limitMs: number,
): { readonly placement: Placement | null; readonly exact: boolean } {
  const used = usedValues(circuit);
  const depth = depths(circuit);
  const least = leastRemaining(used, costs, maxLevel, refreshLevel);
  const levels: Levels = { maxLevel, refreshLevel, depth };
  let states: State[] = [start(circuit, levels)];
  let exact = used.every((value) => new Set(operandsOf(value)).size <= ALL_SUBSETS);
  for (let i = used.length - 1; i >= 0; i--) {
    const value = used[i];
    if (value === undefined) continue;
    const next = new Map<string, { state: State; bound: number }>();
    for (const state of states) {
      for (const made of compute(value, state, levels, costs)) {
        const bound = made.ms + (least[i] ?? 0) + aheadMs(made.ahead, costs);
        if (bound >= limitMs) continue;
        const key = keyOf(made);
        const known = next.get(key);
        if (known === undefined || made.ms < known.state.ms) next.set(key, { state: made, bound });
      }
    }
    const kept = [...next.values()].sort((a, b) => a.bound - b.bound);
    if (kept.length > MOST_STATES) exact = false;
    states = kept.slice(0, MOST_STATES).map(({ state }) => state);
  }
  const total = ({ ms, rounds }: State): number => ms + rounds * costs.roundMs;
  const [best] = states.sort((a, b) => total(a) - total(b));
  return { placement: best === undefined ? null : placementOf(best), exact };
}

function usedValues({ values, outputs }: Circuit): CircuitValue[] {
  const needed = new Set(outputs);
  for (const value of [...values].reverse()) if (needed.has(value)) for (const operand of operandsOf(value)) needed.add(operand);
  return values.filter((value) => needed.has(value));
}

/** Outputs are taken at the refresh level; those that are kept for the next run, refreshed. */
function start({ outputs, kept }: Circuit, levels: Levels): State {
  const demands = new Map<number, Demand>();
  outputs.forEach(({ id, op }, i) => {
    const fresh = op.kind !== 'input' && kept?.has(i) === true;
    const before = demands.get(id) ?? { level: -1, fresh: false, rounds: 0 };
    demands.set(id, {
      level: fresh ? before.level : levels.refreshLevel,
      fresh: before.fresh || fresh,
      rounds: Math.max(before.rounds, fresh ? 1 : 0),
    });
  });
  return { demands, ms: 0, rounds: 0, ahead: aheadOf(demands, 0, levels), before: null, choice: null };
}

/** Of the chain; and for every value, by its id, the levels that are consumed at least on the way to it. */
interface Levels extends Pick<LevelOptions, 'maxLevel' | 'refreshLevel'> {
  readonly depth: ReadonlyMap<number, number>;
}

/** All ways to compute a value. */
function compute(value: CircuitValue, state: State, levels: Levels, costs: PlacementCosts): State[] {
  const { maxLevel, refreshLevel } = levels;
  const demand = state.demands.get(value.id);
  if (demand === undefined) return [state];
  const rest = new Map(state.demands);
  rest.delete(value.id);
  if (value.op.kind === 'input') {
    const rounds = Math.max(state.rounds, demand.rounds);
    return [{ ...state, demands: rest, rounds, ahead: aheadOf(rest, rounds, levels) }];
  }
  const others = aheadOf(rest, state.rounds, levels);
  const level = Math.max(demand.level, demand.fresh ? refreshLevel : -1);
  const ms = state.ms + costs.valueMs(value.id, level) + (demand.fresh ? costs.refreshMs : 0);
  const made: State[] = [];
  for (const variant of operandCostVariants(value.op)) {
    const above = highest(value, variant);
    if ([...above.values()].some((cost) => level + cost > maxLevel)) continue;
    const operands = [...above];
    const freeChoices = operands.filter(([operand]) => operand.op.kind !== 'input').map(([{ id }]) => id);
    for (const fresh of subsets(freeChoices)) {
      const demands = new Map(rest);
      let ahead = others;
      for (const [{ id }, cost] of operands) {
        const isFresh = fresh.includes(id);
        const before = demands.get(id) ?? { level: -1, fresh: false, rounds: 0 };
        const now = {
          level: isFresh ? before.level : Math.max(before.level, level + cost),
          fresh: before.fresh || isFresh,
          rounds: Math.max(before.rounds, demand.rounds + (isFresh ? 1 : 0)),
        };
        demands.set(id, now);
        // Demands only grow, so that a value's own part of the bound replaces what it was before.
        ahead = furtherAhead(ahead, id, now, now.fresh && !before.fresh, levels);
      }
      made.push({ demands, ms, rounds: state.rounds, ahead, before: state, choice: { id: value.id, fresh, maskOnA: variant[0] === 2 } });
    }
  }
  return made;
}

/** Operands beyond this number are taken refreshed all, none, or one at a time. */
const ALL_SUBSETS = 6;

function subsets(ids: readonly number[]): number[][] {
  if (ids.length > ALL_SUBSETS) return [[], [...ids], ...ids.map((id) => [id])];
  return Array.from({ length: 2 ** ids.length }, (_, set) => ids.filter((_, k) => ((set >> k) & 1) === 1));
}

/** Levels that every operand must be above the value; one that it takes twice, as often as the larger of both. */
function highest(value: CircuitValue, variant: readonly number[]): Map<CircuitValue, number> {
  const above = new Map<CircuitValue, number>();
  operandsOf(value).forEach((operand, i) => {
    above.set(operand, Math.max(above.get(operand) ?? 0, variant[i] ?? 0));
  });
  return above;
}

function keyOf({ demands, rounds }: State): string {
  let key = String(rounds);
  for (const [id, { level, fresh, rounds: own }] of [...demands].sort(([a], [b]) => a - b))
    key += `|${id},${level},${fresh ? 1 : 0},${own}`;
  return key;
}

/** Levels that are consumed at least between the inputs and every value. */
function depths({ values }: Circuit): ReadonlyMap<number, number> {
  const depth = new Map<number, number>();
  for (const value of values) {
    const variants = operandCostVariants(value.op);
    const of = (i: number): number => Math.min(...variants.map((variant) => variant[i] ?? 0));
    depth.set(value.id, Math.max(0, ...operandsOf(value).map(({ id }, i) => (depth.get(id) ?? 0) + of(i))));
  }
  return depth;
}

/** By position: what the values before it cost at least. */
function leastRemaining(values: readonly CircuitValue[], { valueMs }: PlacementCosts, maxLevel: number, refreshLevel: number): number[] {
  let sum = 0;
  return values.map((value) => {
    const before = sum;
    if (value.op.kind !== 'input') {
      sum += Math.min(...Array.from({ length: maxLevel - refreshLevel + 1 }, (_, i) => valueMs(value.id, refreshLevel + i)));
    }
    return before;
  });
}

function aheadOf(demands: ReadonlyMap<number, Demand>, rounds: number, levels: Levels): Ahead {
  let ahead: Ahead = { rounds, refreshes: 0, due: 0 };
  for (const [id, demand] of demands) ahead = furtherAhead(ahead, id, demand, demand.fresh, levels);
  return ahead;
}

/** With one more value in the cut, or one of which more is asked. */
function furtherAhead(ahead: Ahead, id: number, demand: Demand, newlyDue: boolean, { maxLevel, refreshLevel, depth }: Levels): Ahead {
  const missing = Math.max(demand.level, demand.fresh ? refreshLevel : -1) + (depth.get(id) ?? 0) - maxLevel;
  const refreshes = Math.max(0, Math.ceil(missing / (maxLevel - refreshLevel)));
  return {
    rounds: Math.max(ahead.rounds, demand.rounds + refreshes),
    refreshes: Math.max(ahead.refreshes, refreshes),
    due: ahead.due + (newlyDue ? 1 : 0),
  };
}

/** Milliseconds that refreshes and their rounds still take at least. */
const aheadMs = ({ rounds, refreshes, due }: Ahead, { refreshMs, roundMs }: PlacementCosts): number =>
  rounds * roundMs + Math.max(refreshes, due) * refreshMs;

function placementOf(last: State): Placement {
  const fresh = new Map<number, ReadonlySet<number>>();
  const maskOnA = new Set<number>();
  for (let state: State | null = last; state !== null; state = state.before) {
    const { choice } = state;
    if (choice === null) continue;
    fresh.set(choice.id, new Set(choice.fresh));
    if (choice.maskOnA) maskOnA.add(choice.id);
  }
  return { fresh, maskOnA };
}

import { type Circuit, type CircuitValue, operandsOf } from './circuit.js';
import { type Demand, FRESH, levelOf, placementOf, roundsOf, type State, stricter, undominated } from './cut_state.js';
import { type LevelOptions, operandCostVariants, type Placement } from './levels.js';
import { type PlacementCosts, weighted } from './placement_costs.js';

type Chain = Pick<LevelOptions, 'maxLevel' | 'refreshLevel'>;

/** How one value is computed, the same in every state: from a cut with it to one with its operands instead. */
interface Step {
  readonly value: CircuitValue;
  /** Of the value in the cut before. */
  readonly place: number;
  /** Ids of the values that cross the cut after. */
  readonly cut: readonly number[];
  /** Of those, the levels that are consumed at least on the way to them. */
  readonly depth: readonly number[];
  /** Of those, by level, the milliseconds over those of the lowest level. */
  readonly extra: readonly Float64Array[];
  /** Of the operands in the cut after. */
  readonly operands: readonly number[];
  /** Levels that every operand must be above the value, in all ways there are. */
  readonly above: readonly { readonly levels: readonly number[]; readonly maskOnA: boolean }[];
  /** Of the operands, those taken refreshed, in all ways to choose them. */
  readonly fresh: readonly (readonly boolean[])[];
}

/**
 * Where to refresh: a shortest path over cuts of the circuit, from the outputs to the inputs. A node is what a cut demands of the values that cross it (levels, refreshes, rounds); an
 * edge computes one value at the lowest level that serves, and takes each operand as it is or refreshed. On chains this is the shortest path in Orion's level
 * digraph (Ebel et al., 2025); where branches run side by side, a cut is crossed by one value of each. Left out are ways that cannot beat `limitMs`, and those that another makes up for whatever
 * follows: one that asks for no higher level, and is cheaper by the refreshes and rounds that it asks for besides.
 * @returns the cheapest placement (null: none is below the limit), and whether no cut was too wide to keep all of its nodes
 */
export function shortestPlacement(
  circuit: Circuit,
  { maxLevel, refreshLevel }: Chain,
  costs: PlacementCosts,
  limitMs: number,
): { readonly placement: Placement | null; readonly exact: boolean } {
  const used = usedValues(circuit);
  const depth = depths(circuit);
  const chain = { maxLevel, refreshLevel };
  const least = leastRemaining(used, costs, chain);
  const extraOf = extraMs(costs, chain);
  let { cut, states } = start(circuit, refreshLevel);
  let exact = used.every((value) => new Set(operandsOf(value)).size <= ALL_SUBSETS);
  for (let i = used.length - 1; i >= 0; i--) {
    const value = used[i];
    if (value === undefined) continue;
    const step = stepTo(value, cut, depth, extraOf);
    const made = extended(states, step, chain, costs, least[i] ?? 0, limitMs);
    const kept = undominated(made, costs);
    exact &&= kept.all;
    states = kept.states;
    cut = step.cut;
  }
  const total = ({ ms, rounds }: State): number => weighted(ms + rounds * costs.roundMs, rounds, costs);
  const [best] = [...states].sort((a, b) => total(a) - total(b));
  return { placement: best === undefined ? null : placementOf(best), exact };
}

function usedValues({ values, outputs }: Circuit): CircuitValue[] {
  const needed = new Set(outputs);
  for (const value of [...values].reverse()) if (needed.has(value)) for (const operand of operandsOf(value)) needed.add(operand);
  return values.filter((value) => needed.has(value));
}

/** Outputs are taken at the refresh level; those that are kept for the next run, refreshed. */
function start({ outputs, kept }: Circuit, refreshLevel: number): { readonly cut: readonly number[]; readonly states: readonly State[] } {
  const demands = new Map<number, Demand>();
  outputs.forEach(({ id, op }, i) => {
    const fresh = op.kind !== 'input' && kept?.has(i) === true;
    demands.set(id, stricter(demands.get(id) ?? 0, refreshLevel, fresh, fresh ? 1 : 0));
  });
  const state = { demands: Int32Array.from(demands.values()), ms: 0, bound: 0, rounds: 0, allRounds: 0, before: null, choice: null };
  return { cut: [...demands.keys()], states: [state] };
}

function stepTo(
  value: CircuitValue,
  before: readonly number[],
  depth: ReadonlyMap<number, number>,
  extraOf: (id: number) => Float64Array,
): Step {
  const operands = [...new Set(operandsOf(value))];
  const rest = before.filter((id) => id !== value.id);
  const cut = [...new Set([...rest, ...operands.map(({ id }) => id)])];
  return {
    value,
    place: before.indexOf(value.id),
    cut,
    depth: cut.map((id) => depth.get(id) ?? 0),
    extra: cut.map(extraOf),
    operands: operands.map(({ id }) => cut.indexOf(id)),
    above: operandCostVariants(value.op).map((variant) => ({ levels: highest(value, operands, variant), maskOnA: variant[0] === 2 })),
    fresh: choices(operands.map(({ op }) => op.kind !== 'input')),
  };
}

/** Levels that every operand must be above the value; one that it takes twice, as often as the larger of both. */
function highest(value: CircuitValue, operands: readonly CircuitValue[], variant: readonly number[]): number[] {
  const all = operandsOf(value);
  return operands.map((operand) => Math.max(...all.map((other, i) => (other === operand ? (variant[i] ?? 0) : 0))));
}

/** Operands beyond this number are taken refreshed all, none, or one at a time. */
const ALL_SUBSETS = 6;

/** Subsets of the operands that can be refreshed. */
function choices(free: readonly boolean[]): boolean[][] {
  const places = free.flatMap((isFree, i) => (isFree ? [i] : []));
  const only = (chosen: readonly number[]): boolean[] => free.map((_, i) => chosen.includes(i));
  if (places.length > ALL_SUBSETS) return [only([]), only(places), ...places.map((place) => only([place]))];
  return Array.from({ length: 2 ** places.length }, (_, set) => only(places.filter((_, k) => ((set >> k) & 1) === 1)));
}

/** All ways to compute a value from all states, of equal ones the cheapest, that stay below the limit. `least`: milliseconds of all values before it. */
function extended(
  states: readonly State[],
  { value, place, cut, depth, extra, operands, above, fresh }: Step,
  { maxLevel, refreshLevel }: Chain,
  costs: PlacementCosts,
  least: number,
  limitMs: number,
): State[] {
  const made = new Map<string, State>();
  const { refreshMs, roundMs } = costs;
  const demands = new Int32Array(cut.length);
  const key = new Uint16Array(demands.buffer);
  const rest = new Int32Array(cut.length);
  const refreshesTo = (demand: Demand, at: number): number =>
    Math.max(0, Math.ceil((levelOf(demand) + (depth[at] ?? 0) - maxLevel) / (maxLevel - refreshLevel)));
  for (const state of states) {
    const own = state.demands[place] ?? 0;
    const isInput = value.op.kind === 'input';
    const finished = isInput ? Math.max(state.rounds, roundsOf(own)) : state.rounds;
    const ms = isInput ? state.ms : state.ms + costs.valueMs(value.id, levelOf(own)) + ((own & FRESH) === 0 ? 0 : refreshMs);
    // What must still come before the inputs: rounds on the longest way; refreshes one after another, or side by side, of values of the cut.
    let [rounds, serial, parallel, higher] = [finished, 0, 0, 0];
    rest.fill(0);
    for (let from = 0, to = 0; from < state.demands.length; from++) {
      if (from === place) continue;
      const demand = state.demands[from] ?? 0;
      const refreshes = refreshesTo(demand, to);
      rounds = Math.max(rounds, roundsOf(demand) + refreshes);
      serial = Math.max(serial, refreshes);
      if ((demand & FRESH) !== 0) parallel++;
      higher += extra[to]?.[levelOf(demand)] ?? 0;
      rest[to++] = demand;
    }
    if (weighted(ms + least + higher + rounds * roundMs + Math.max(serial, parallel) * refreshMs, rounds, costs) >= limitMs) continue;
    for (const { levels, maskOnA } of above) {
      if (levels.some((cost) => levelOf(own) + cost > maxLevel)) continue;
      for (const taken of fresh) {
        demands.set(rest);
        let [allRounds, allSerial, allParallel, allHigher] = [rounds, serial, parallel, higher];
        for (let k = 0; k < operands.length; k++) {
          const to = operands[k] ?? 0;
          const isFresh = taken[k] === true;
          const before = demands[to] ?? 0;
          const level = isFresh ? refreshLevel : levelOf(own) + (levels[k] ?? 0);
          const now = stricter(before, level, isFresh, roundsOf(own) + (isFresh ? 1 : 0));
          demands[to] = now;
          // Demands only grow, so that a value's own part of the bound replaces what it was before.
          const refreshes = refreshesTo(now, to);
          allRounds = Math.max(allRounds, roundsOf(now) + refreshes);
          allSerial = Math.max(allSerial, refreshes);
          if ((now & FRESH) > (before & FRESH)) allParallel++;
          allHigher += (extra[to]?.[levelOf(now)] ?? 0) - (extra[to]?.[levelOf(before)] ?? 0);
        }
        const unweighted = ms + least + allHigher + allRounds * roundMs + Math.max(allSerial, allParallel) * refreshMs;
        const bound = weighted(unweighted, allRounds, costs);
        if (bound >= limitMs) continue;
        const name = String.fromCharCode(finished, ...key);
        const known = made.get(name);
        if (known !== undefined && known.ms <= ms) continue;
        const choice = { id: value.id, fresh: cut.filter((_, to) => taken[operands.indexOf(to)] === true), maskOnA };
        made.set(name, {
          demands: demands.slice(),
          ms,
          bound,
          rounds: finished,
          allRounds,
          before: state,
          choice: isInput ? null : choice,
        });
      }
    }
  }
  return [...made.values()];
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

/** By value and level: milliseconds over those at the refresh level. */
function extraMs({ valueMs }: PlacementCosts, { maxLevel, refreshLevel }: Chain): (id: number) => Float64Array {
  const tables = new Map<number, Float64Array>();
  return (id) => {
    const table =
      tables.get(id) ??
      Float64Array.from({ length: maxLevel + 1 }, (_, level) =>
        level <= refreshLevel ? 0 : valueMs(id, level) - valueMs(id, refreshLevel),
      );
    tables.set(id, table);
    return table;
  };
}

/** By position: what the values before it cost at least. */
function leastRemaining(values: readonly CircuitValue[], { valueMs }: PlacementCosts, { maxLevel, refreshLevel }: Chain): number[] {
  let sum = 0;
  return values.map((value) => {
    const before = sum;
    if (value.op.kind !== 'input') {
      sum += Math.min(...Array.from({ length: maxLevel - refreshLevel + 1 }, (_, i) => valueMs(value.id, refreshLevel + i)));
    }
    return before;
  });
}

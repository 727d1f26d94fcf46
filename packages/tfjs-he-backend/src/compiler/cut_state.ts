import type { Placement } from './levels.js';
import { type PlacementCosts, weighted } from './placement_costs.js';

/** States that a cut keeps: more than circuits of transformers have after pruning. */
const MOST_STATES = 150;

/**
 * What the users that have been seen ask of a value, in one integer: in the low bits the level for it (that of a refresh, where all take it refreshed), then whether some take it refreshed, then the
 * rounds of refreshes on the way from it to the outputs.
 */
export type Demand = number;
export const FRESH = 32;
const ROUND = 64;
export const levelOf = (demand: Demand): number => demand & (FRESH - 1);
export const roundsOf = (demand: Demand): number => Math.floor(demand / ROUND);

/** A node of the level digraph: what a cut asks of the values that cross it, and the cheapest way to get there. */
export interface State {
  /** By the value's place in the cut. */
  readonly demands: Int32Array;
  readonly ms: number;
  /** At least what the whole placement takes, weighted. */
  readonly bound: number;
  /** On ways from inputs to outputs; and, at least, on all ways. */
  readonly rounds: number;
  readonly allRounds: number;
  readonly before: State | null;
  readonly choice: Choice | null;
}

/** How a value takes its operands. */
interface Choice {
  readonly id: number;
  /** Ids of operands taken refreshed. */
  readonly fresh: readonly number[];
  readonly maskOnA: boolean;
}

/** A demand that also asks for this. */
export function stricter(demand: Demand, level: number, fresh: boolean, rounds: number): Demand {
  return Math.max(levelOf(demand), level) + (fresh ? FRESH : demand & FRESH) + ROUND * Math.max(roundsOf(demand), rounds);
}

/** The most promising states, none of which another makes up for. */
export function undominated(states: readonly State[], costs: PlacementCosts): { readonly states: readonly State[]; readonly all: boolean } {
  const kept: State[] = [];
  for (const state of [...states].sort((a, b) => a.bound - b.bound)) {
    if (kept.some((other) => dominates(other, state, costs))) continue;
    if (kept.length === MOST_STATES) return { states: kept, all: false };
    kept.push(state);
  }
  return { states: kept, all: true };
}

/** Whether what follows `b` can follow `a`, refreshes and rounds that `a` alone asks for included, at no more cost. */
function dominates(a: State, b: State, costs: PlacementCosts): boolean {
  if (a.ms > b.ms) return false;
  const { refreshMs, roundMs } = costs;
  let refreshes = 0;
  let rounds = Math.max(0, a.rounds - b.rounds);
  for (let k = 0; k < a.demands.length; k++) {
    const [ours, theirs] = [a.demands[k] ?? 0, b.demands[k] ?? 0];
    if (ours === theirs) continue;
    if (levelOf(ours) > levelOf(theirs)) return false;
    if ((ours & FRESH) > (theirs & FRESH)) refreshes++;
    rounds = Math.max(rounds, roundsOf(ours) - roundsOf(theirs));
  }
  // Rounds may be too many for a alone.
  if (rounds > 0 && weighted(1, b.allRounds, costs) < weighted(1, Number.POSITIVE_INFINITY, costs)) return false;
  return a.ms + refreshes * refreshMs + rounds * roundMs <= b.ms;
}

/** What a path of states has chosen. */
export function placementOf(last: State): Placement {
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

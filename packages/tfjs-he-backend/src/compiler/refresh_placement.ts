import type { Circuit } from './circuit.js';
import { placementMs } from './circuit_cost.js';
import { assignLevels, type LeveledCircuit, type LevelOptions } from './levels.js';
import { type PlacementCosts, shortestPlacement } from './refresh_path.js';

/** Rounds of local search over all values; nearly always, the second finds nothing more. */
const MAX_PASSES = 4;

/**
 * Pass: where to refresh, by cost: the shortest path over cuts and levels ({@link shortestPlacement}), which is the best placement there is where cuts are narrow, as in chains and
 * blocks with residual branches. Where one is too wide to keep all its nodes, also a local search from refreshes at the last possible moment (both policies of
 * {@link assignLevels}), one earlier refresh at a time; the better of both.
 */
export function placeRefreshesByCost(
  circuit: Circuit,
  options: Pick<LevelOptions, 'maxLevel' | 'refreshLevel'>,
  costs: PlacementCosts,
): LeveledCircuit {
  const lazy = [false, true].map((refreshTogether) => placed(circuit, { ...options, refreshTogether }, costs));
  let best = cheapest(lazy);
  const { placement, exact } = shortestPlacement(circuit, options, costs, best.cost);
  if (placement !== null) best = cheapest([best, placed(circuit, { ...options, refreshTogether: false, placement }, costs)]);
  if (exact) return best.leveled;
  return cheapest([best, ...[false, true].map((refreshTogether) => search(circuit, { ...options, refreshTogether }, costs))]).leveled;
}

interface Placed {
  readonly leveled: LeveledCircuit;
  readonly cost: number;
}

function placed(circuit: Circuit, options: LevelOptions, costs: PlacementCosts): Placed {
  const leveled = assignLevels(circuit, options);
  return { leveled, cost: placementMs(leveled, costs) };
}

function cheapest(all: readonly Placed[]): Placed {
  return all.reduce((best, one) => (one.cost < best.cost ? one : best));
}

function search(circuit: Circuit, options: LevelOptions, costs: PlacementCosts): Placed {
  const place = (early: ReadonlySet<number>): Placed => placed(circuit, { ...options, early }, costs);
  let early: ReadonlySet<number> = new Set();
  let best = place(early);
  const candidates = circuit.values.filter(({ op }) => op.kind !== 'input').map(({ id }) => id);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const before = best.cost;
    for (const id of candidates) {
      const changed = new Set(early);
      if (!changed.delete(id)) changed.add(id);
      const placement = place(changed);
      if (placement.cost >= best.cost) continue;
      best = placement;
      early = changed;
    }
    if (best.cost === before) break;
  }
  return best;
}

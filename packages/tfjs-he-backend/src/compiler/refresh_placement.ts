import type { Circuit } from './circuit.js';
import { placementMs } from './circuit_cost.js';
import { assignLevels, type LeveledCircuit, type LevelOptions } from './levels.js';
import type { PlacementCosts } from './placement_costs.js';
import { shortestPlacement } from './refresh_path.js';
import { RefreshSearch } from './refresh_search.js';

/**
 * Pass: where to refresh, by cost: the shortest path over cuts and levels ({@link shortestPlacement}), which is the best placement there is where cuts are narrow, as in chains and
 * blocks with residual branches. Where one is too wide to keep all its nodes, the best of that and of local searches ({@link RefreshSearch}).
 */
export function placeRefreshesByCost(
  circuit: Circuit,
  options: Pick<LevelOptions, 'maxLevel' | 'refreshLevel'>,
  costs: PlacementCosts,
): LeveledCircuit {
  const placed = (own: Partial<LevelOptions>): Placed => {
    const leveled = assignLevels(circuit, { ...options, refreshTogether: false, ...own });
    return { leveled, cost: placementMs(leveled, costs) };
  };
  const search = new RefreshSearch(circuit, options, costs);
  const policies = [false, true];
  const searched = policies.map((together) => search.byUse(search.byValue(together).placement));
  let best = cheapest([
    ...policies.map((refreshTogether) => placed({ refreshTogether })),
    ...searched.map(({ placement }) => placed({ placement })),
  ]);
  const { placement, exact } = shortestPlacement(circuit, options, costs, best.cost);
  if (placement === null) return best.leveled;
  best = cheapest([best, placed({ placement })]);
  return exact ? best.leveled : cheapest([best, placed({ placement: search.byUse(placement).placement })]).leveled;
}

interface Placed {
  readonly leveled: LeveledCircuit;
  readonly cost: number;
}

function cheapest(all: readonly Placed[]): Placed {
  return all.reduce((best, one) => (one.cost < best.cost ? one : best));
}

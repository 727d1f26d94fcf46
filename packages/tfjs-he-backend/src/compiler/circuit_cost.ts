import type { Parameters } from '../parameters/parameters.js';
import { type CostName, type Costs, costUnits } from './costs.js';
import type { LeveledCircuit } from './levels.js';

/** Operations of every value of a circuit, by its id, with their levels above that of the value. */
export type CircuitWork = ReadonlyMap<number, readonly { readonly name: CostName; readonly above: number }[]>;

/**
 * Milliseconds of a circuit for any placement of refreshes, from the operations that one emitted placement took: the count of operations
 * does not depend on levels (but for a few corrections of scale), their cost does.
 */
export function circuitCost(
  work: CircuitWork,
  parameters: Parameters,
  { costs, roundTripMs }: { readonly costs: Costs; readonly roundTripMs: number },
): (leveled: LeveledCircuit) => number {
  const { polyModulusDegree: n, maxLevel } = parameters;
  const perRefresh = costs.refresh * costUnits('refresh', n, maxLevel + 1);
  const tables = new Map<number, (number | undefined)[]>();
  const valueMs = (id: number, level: number): number => {
    let table = tables.get(id);
    if (table === undefined) {
      table = [];
      tables.set(id, table);
    }
    let ms = table[level];
    if (ms === undefined) {
      ms = (work.get(id) ?? []).reduce(
        (sum, { name, above }) => sum + costs[name] * costUnits(name, n, Math.min(level + above, maxLevel) + 1),
        0,
      );
      table[level] = ms;
    }
    return ms;
  };
  return ({ circuit, level, segment, origin }) => {
    let total = 0;
    let rounds = 0;
    for (const { id, op } of circuit.values) {
      const own = level[id] ?? -1;
      if (own < 0) continue;
      if (op.kind === 'refresh') {
        total += perRefresh;
        rounds = Math.max(rounds, segment[id] ?? 0);
      } else total += valueMs(origin[id] ?? -1, own);
    }
    return total + rounds * roundTripMs;
  };
}

import type { Parameters } from '../parameters/parameters.js';
import { refreshMs } from './cost_model.js';
import type { Costs } from './costs.js';
import type { LeveledCircuit } from './levels.js';
import { type PlacementCosts, weighted } from './placement_costs.js';
import { type Work, workMs } from './work.js';

/** Work at a level so much above that of the value it is for. */
export interface CircuitWorkItem extends Omit<Work, 'primes'> {
  readonly above: number;
}

/** Work for every value of a circuit, by its id. */
export type CircuitWork = ReadonlyMap<number, readonly CircuitWorkItem[]>;

/**
 * Milliseconds of the parts of a circuit at any level, from the operations that one emitted placement of refreshes took: the count of operations does not depend on levels (but for
 * a few corrections of scale), their cost does.
 */
export function circuitCost(
  work: CircuitWork,
  parameters: Parameters,
  { costs, roundTripMs }: { readonly costs: Costs; readonly roundTripMs: number },
): PlacementCosts {
  const { polyModulusDegree: n, maxLevel } = parameters;
  const tables = new Map<number, (number | undefined)[]>();
  const valueMs = (id: number, level: number): number => {
    let table = tables.get(id);
    if (table === undefined) {
      table = [];
      tables.set(id, table);
    }
    let ms = table[level];
    if (ms === undefined) {
      const own = (work.get(id) ?? []).map(({ name, count, above }) => ({
        name,
        count,
        primes: Math.min(level + above, maxLevel + 1) + 1,
      }));
      ms = workMs(own, n, costs);
      table[level] = ms;
    }
    return ms;
  };
  return { valueMs, refreshMs: refreshMs(n, maxLevel + 1, costs), roundMs: roundTripMs };
}

/** Milliseconds of a leveled circuit, weighted by its rounds. */
export function placementMs({ circuit, level, segment, origin }: LeveledCircuit, costs: PlacementCosts): number {
  const { valueMs, refreshMs, roundMs } = costs;
  let total = 0;
  let rounds = 0;
  for (const { id, op } of circuit.values) {
    const own = level[id] ?? -1;
    if (own < 0) continue;
    if (op.kind === 'refresh') {
      total += refreshMs;
      rounds = Math.max(rounds, segment[id] ?? 0);
    } else total += valueMs(origin[id] ?? -1, own);
  }
  return weighted(total + rounds * roundMs, rounds, costs);
}

import type { Circuit } from './circuit.js';
import { assignLevels, type LeveledCircuit, type LevelOptions } from './levels.js';

/** Rounds over all values; nearly always, the second finds nothing more. */
const MAX_PASSES = 4;

/**
 * Pass: where to refresh, by cost. Starts from refreshes at the last possible moment (both policies of {@link assignLevels}) and moves them
 * to earlier values, one at a time, as long as the cost falls: to where fewer ciphertexts are alive, or where what follows runs at lower
 * levels. A value that is refreshed early spares those after it, so single moves cover most of what a search over all sets would find
 * (within a few percent on random circuits, by test).
 * @param cost of a leveled circuit, in ms
 */
export function placeRefreshesByCost(
  circuit: Circuit,
  options: Omit<LevelOptions, 'early' | 'refreshTogether'>,
  cost: (leveled: LeveledCircuit) => number,
): LeveledCircuit {
  let best = search(circuit, { ...options, refreshTogether: false }, cost);
  const together = search(circuit, { ...options, refreshTogether: true }, cost);
  if (together.cost < best.cost) best = together;
  return best.leveled;
}

interface Placement {
  readonly leveled: LeveledCircuit;
  readonly cost: number;
}

function search(circuit: Circuit, options: LevelOptions, cost: (leveled: LeveledCircuit) => number): Placement {
  const place = (early: ReadonlySet<number>): Placement => {
    const leveled = assignLevels(circuit, { ...options, early });
    return { leveled, cost: cost(leveled) };
  };
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

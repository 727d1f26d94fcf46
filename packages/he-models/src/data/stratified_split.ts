import { permutation, seededRandom } from '../random.js';

export interface Split<T> {
  readonly train: readonly T[];
  readonly dev: readonly T[];
}

/**
 * Moves `round(fraction * n)` examples of every label to a development set, chosen by a generator seeded with `seed`. Both parts keep the
 * order of `examples`, and the choice depends on nothing but the arguments.
 *
 * @param fraction share of each label, in [0, 1]
 */
export function stratifiedSplit<T>(examples: readonly T[], labelOf: (example: T) => string, fraction: number, seed: number): Split<T> {
  const byLabel = new Map<string, number[]>();
  examples.forEach((example, index) => {
    const label = labelOf(example);
    const indices = byLabel.get(label);
    if (indices === undefined) byLabel.set(label, [index]);
    else indices.push(index);
  });
  const random = seededRandom(seed);
  const held = new Set<number>();
  for (const label of [...byLabel.keys()].sort()) {
    const indices = byLabel.get(label) ?? [];
    const order = permutation(indices.length, random);
    for (let taken = 0; taken < Math.round(indices.length * fraction); taken += 1) held.add(indices[order[taken] ?? 0] ?? 0);
  }
  return { train: examples.filter((_, index) => !held.has(index)), dev: examples.filter((_, index) => held.has(index)) };
}

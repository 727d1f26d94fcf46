/** Times that an example is repeated at most: more would be learnt by heart. */
const MOST = 10;

/**
 * Examples with those of rare labels repeated, so that labels are about equally frequent: each `floor(n / count)` times, at most ten, where `n` is the
 * count of the most frequent label. The order stays, copies follow one another.
 */
export function repeatRare<T>(examples: readonly T[], labelOf: (example: T) => string): readonly T[] {
  const counts = new Map<string, number>();
  for (const example of examples) counts.set(labelOf(example), (counts.get(labelOf(example)) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return examples.flatMap((example) => {
    const times = Math.min(MOST, Math.floor(most / (counts.get(labelOf(example)) ?? most)));
    return Array.from({ length: times }, () => example);
  });
}

import type { OpObserver } from './arithmetic.js';

/** Operations by name and level: what the cost model multiplies with measured times. */
export interface OpCounts {
  readonly observe: OpObserver;
  /** Of one operation, at one level or at all. */
  count(op: string, level?: number): number;
  entries(): { readonly op: string; readonly level: number; readonly count: number }[];
}

export function createOpCounts(): OpCounts {
  const counts = new Map<string, Map<number, number>>();
  return {
    observe(op, level) {
      const byLevel = counts.get(op) ?? new Map<number, number>();
      byLevel.set(level, (byLevel.get(level) ?? 0) + 1);
      counts.set(op, byLevel);
    },
    count(op, level) {
      const byLevel = counts.get(op);
      if (byLevel === undefined) return 0;
      if (level !== undefined) return byLevel.get(level) ?? 0;
      return [...byLevel.values()].reduce((sum, n) => sum + n, 0);
    },
    entries: () => [...counts].flatMap(([op, byLevel]) => [...byLevel].map(([level, count]) => ({ op, level, count }))),
  };
}
